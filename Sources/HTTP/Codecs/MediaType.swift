/// The value of Content-Type: `application/json; charset=utf-8`.
public struct MediaType: Sendable {
    /// Lower case, `type/subtype` without parameters.
    public let essence: String
    /// Names in lower case; of two alike the first counts.
    public let parameters: [(name: String, value: String)]

    public init?(_ field: some StringProtocol) {
        let parsed: (String, [(name: String, value: String)])? = field.reading { reader in
            reader.skipSpace()
            guard let type = reader.token(), reader.take(UInt8(ascii: "/")), let subtype = reader.token(),
                let parameters = reader.parameters()
            else { return nil }
            guard reader.atEnd else { return nil }
            let essence =
                String(decoding: type, as: UTF8.self) + "/" + String(decoding: subtype, as: UTF8.self)
            return (essence.lowercased(), parameters)
        }
        guard let parsed else { return nil }
        (essence, parameters) = parsed
    }

    public subscript(parameter: String) -> String? { parameters.first { $0.name == parameter }?.value }

    public var isJSON: Bool { essence == "application/json" || essence.hasSuffix("+json") }
    public var isForm: Bool { essence == "application/x-www-form-urlencoded" }
    public var isMultipartForm: Bool { essence == "multipart/form-data" }

    /// No charset said, or one that our UTF-8 reader reads rightly.
    public var isUTF8: Bool {
        guard let charset = self["charset"]?.lowercased() else { return true }
        return charset == "utf-8" || charset == "utf8" || charset == "us-ascii"
    }
}
