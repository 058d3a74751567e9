import Wire

/// The value of Content-Disposition, in a part of a form (RFC 7578) and on a download (RFC 6266).
public struct ContentDisposition: Equatable, Sendable {
    /// `form-data`, `attachment` or `inline`, in lower case.
    public let kind: String
    public let name: String?
    /// The last component of what the client calls its file: no folder, no control character; nil when nothing
    /// usable is left or when there was none.
    public let filename: String?
    /// Whether a file was sent at all, also when its name was unusable or empty.
    public let isFile: Bool

    public init?(_ field: some StringProtocol) {
        let parsed: (String, [(name: String, value: String)])? = field.reading { reader in
            reader.skipSpace()
            guard let kind = reader.token(), let parameters = reader.parameters(), reader.atEnd else {
                return nil
            }
            return (String(decoding: kind, as: UTF8.self).lowercased(), parameters)
        }
        guard let (kind, parameters) = parsed else { return nil }
        func value(_ name: String) -> String? { parameters.first { $0.name == name }?.value }
        self.kind = kind
        name = value("name")
        // The extended form is the better one where both stand (RFC 6266 section 4.3).
        let extended = value("filename*")
        let plain = value("filename")
        isFile = extended != nil || plain != nil
        filename = (extended.flatMap(Self.extended) ?? plain).flatMap(Self.lastComponent)
    }

    /// The value for a download: a plain name for old readers and the exact one beside it when they differ.
    public static func attachment(_ filename: String) -> String {
        let plain = String(
            decoding: filename.utf8.map { byte in
                let isPlain =
                    byte >= 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
                    && byte != UInt8(ascii: "%")
                return isPlain ? byte : UInt8(ascii: "_")
            }, as: UTF8.self)
        let value = "attachment; filename=\"\(plain)\""
        return plain == filename ? value : value + "; filename*=UTF-8''" + PercentEncoding.encode(filename)
    }

    /// `UTF-8'en'na%C3%AFve.txt` (RFC 8187); other charsets are not read.
    private static func extended(_ text: String) -> String? {
        let parts = text.split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].lowercased() == "utf-8" else { return nil }
        return PercentEncoding.decode(parts[2])
    }

    private static func lastComponent(_ path: String) -> String? {
        let name = path.split(omittingEmptySubsequences: false) { $0 == "/" || $0 == "\\" }.last ?? ""
        guard !name.isEmpty, name != ".", name != "..",
            !name.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F })
        else { return nil }
        return String(name)
    }
}
