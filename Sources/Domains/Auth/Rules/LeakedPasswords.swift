import API
import Crypto
import Logging
import Outbound
import Wire

/// Asks an outside list whether a password has leaked, without telling it which: five letters of its digest go out, some
/// hundred endings come back, and the comparing is done here.
///
/// Off unless the operator names a list. A list that does not answer refuses nobody.
struct LeakedPasswords: Sendable {
    /// The digest's beginning is put behind it.
    let url: String
    let http: HTTPClient
    let log: Logger

    func contains(_ password: String) async -> Bool {
        let digest = Hex.encode(SHA1.digest(password)).uppercased()
        var request = HTTPClient.Request(
            // Padding: the length of the answer must not tell which beginning it was.
            "GET", "\(url)/\(digest.prefix(5))", headers: [("add-padding", "true")])
        request.deadlines = HTTPClient.Deadlines(
            connect: .seconds(1), firstByte: .seconds(2), idle: .seconds(1), total: .seconds(2))
        request.responseBytesMax = 1 << 20
        do {
            let response = try await http.send(request)
            let text = String(decoding: try await response.body.collect(), as: UTF8.self)
            guard response.status == 200 else { throw TransferError.badResponse }
            return Self.holds(digest.dropFirst(5), in: text)
        } catch {
            log.warning("the list of leaked passwords does not answer", metadata: ["cause": "\(error)"])
            return false
        }
    }

    /// Lines of `ending:count`; padding has the count 0.
    static func holds(_ ending: Substring, in list: String) -> Bool {
        list.split(whereSeparator: \.isNewline).contains { line in
            let parts = line.split(separator: ":")
            return parts.count == 2 && parts[0].uppercased() == ending && Int(parts[1]) ?? 0 > 0
        }
    }
}

extension AuthParts {
    static let leakedCode = "password-leaked"
    static let leakedReason = "Has leaked from some service before, and is tried first. Choose another."

    func refuseLeaked(_ password: String, at pointer: String) async throws {
        guard let leaked, await leaked.contains(password) else { return }
        throw Problem.unprocessable(pointer, Self.leakedCode, Self.leakedReason)
    }
}
