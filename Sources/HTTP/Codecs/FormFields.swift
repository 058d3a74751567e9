/// Names and values in the order they came, out of a query string or an `application/x-www-form-urlencoded` body.
public struct FormFields: Sendable {
    public struct Field: Equatable, Sendable {
        public let name: String
        public let value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    public let fields: [Field]

    public static let none = FormFields(fields: [])

    private init(fields: [Field]) { self.fields = fields }

    public init(_ text: String) throws(FormError) {
        var text = text
        let parsed = text.withUTF8 { bytes in
            Result { () throws(FormError) in try FormFields(UnsafeRawBufferPointer(bytes)) }
        }
        self = try parsed.get()
    }

    /// Every value is valid UTF-8 without NUL; anything else is refused rather than mended.
    public init(_ bytes: UnsafeRawBufferPointer) throws(FormError) {
        var fields: [Field] = []
        for piece in bytes.split(separator: UInt8(ascii: "&")) {
            guard fields.count < CodecLimits.formFields else { throw .tooManyFields }
            let equals = piece.firstIndex(of: UInt8(ascii: "=")) ?? piece.endIndex
            let name = try Self.decode(piece[..<equals], max: CodecLimits.formNameBytes, .nameTooLong)
            let value = try Self.decode(
                piece[equals...].dropFirst(), max: CodecLimits.formValueBytes, .valueTooLong)
            fields.append(Field(name, value))
        }
        self.fields = fields
    }

    /// The first value of a name.
    public subscript(name: String) -> String? { fields.first { $0.name == name }?.value }

    public func all(_ name: String) -> [String] { fields.compactMap { $0.name == name ? $0.value : nil } }

    private static func decode(
        _ piece: Slice<UnsafeRawBufferPointer>, max: Int, _ tooLong: FormError
    ) throws(FormError) -> String {
        // Nothing shrinks by more than three to one: the check before the work is enough.
        guard piece.count <= max * 3 else { throw tooLong }
        guard let bytes = PercentEncoding.decode(UnsafeRawBufferPointer(rebasing: piece), plusIsSpace: true)
        else {
            throw .badPercentEncoding
        }
        guard bytes.count <= max else { throw tooLong }
        guard !bytes.contains(0) else { throw .containsNul }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .notUTF8 }
        return text
    }
}

public enum FormError: Error, Equatable {
    case tooManyFields
    case nameTooLong
    case valueTooLong
    case badPercentEncoding
    case notUTF8
    case containsNul
}
