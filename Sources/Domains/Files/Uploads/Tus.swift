import API
import Crypto
import HTTP
import Wire

/// The fields of tus 1.0 (https://tus.io/protocols/resumable-upload), read and written.
enum Tus {
    static let version = "1.0.0"
    static let extensions = "creation,creation-with-upload,expiration,checksum,termination"
    static let bodyType = "application/offset+octet-stream"

    /// Every answer names the version.
    static func greet(_ call: Call) { call.header("tus-resumable", version) }

    /// 412 for whoever speaks another version, or does not say which.
    static func check(_ call: Call) throws(Problem) {
        if call.request.header("tus-resumable") != version {
            throw Problem(.tusVersion).header("tus-version", version)
        }
    }

    static func number(_ name: StaticString, _ call: Call) throws(Problem) -> Int? {
        guard let text = call.request.header(name) else { return nil }
        guard let number = Int(text), number >= 0,
            text.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") })
        else { throw malformed("\(name)", "must be a whole number that is not negative") }
        return number
    }

    /// `Upload-Metadata: filename d29ybGQ=,is_public`: names with their values, which are base64 of UTF-8.
    static func metadata(_ field: String?) throws(Problem) -> [String: String] {
        var values: [String: String] = [:]
        for pair in (field ?? "").split(separator: ",") {
            let parts = pair.split(separator: " ", omittingEmptySubsequences: true)
            guard let name = parts.first, parts.count <= 2 else { continue }
            guard let bytes = parts.count == 2 ? Base64.decode(parts[1]) : [],
                let text = String(validating: bytes, as: UTF8.self)
            else { throw malformed("Upload-Metadata", "\(name) is no base64 of UTF-8") }
            values[String(name)] = text
        }
        return values
    }

    static func malformed(_ field: String, _ detail: String) -> Problem {
        Problem(.malformedRequest, nil, faults: [Fault(.parameter(field), "invalid", detail, isSyntax: true)])
    }
}

/// `Upload-Checksum: sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=`: what the bytes of one request must come to.
struct TusChecksum {
    private let digest: StreamDigest
    private let wanted: [UInt8]

    init?(_ call: Call) throws(Problem) {
        guard let field = call.request.header("upload-checksum") else { return nil }
        let parts = field.split(separator: " ")
        guard parts.count == 2, let wanted = Base64.decode(parts[1]),
            let digest = StreamDigest(String(parts[0]))
        else {
            throw Tus.malformed(
                "Upload-Checksum",
                "must be one of \(StreamDigest.names.joined(separator: ", ")) and base64, with a blank between"
            )
        }
        self.digest = digest
        self.wanted = wanted
    }

    func take(_ bytes: [UInt8]) { digest.update(bytes) }

    func check() throws(Problem) {
        if digest.finish() != wanted { throw Problem(.uploadChecksum) }
    }
}
