import HTTP
import Wire

/// What one argument of a handler takes out of the request.
public enum InputPart: Sendable {
    /// The next `{parameter}` of the path.
    case path(Schema)
    case query(ObjectSchema)
    case list(ListShape)
    case body(Schema)
    case patch(Schema)
    /// Fields of `application/x-www-form-urlencoded`.
    case form(ObjectSchema)
    /// A body the handler reads itself.
    case stream(mediaType: String)

    var isBody: Bool {
        switch self {
        case .body, .patch, .form: true
        case .path, .query, .list, .stream: false
        }
    }
}

/// An argument of a handler.
public protocol RouteInput: Sendable {
    /// For the declaration; asked once.
    static func part() throws(Schema.ProbeError) -> InputPart
    /// Nil when it told the reader of a fault.
    static func read(_ reader: InputReader) -> Self?
}

/// Hands the parts of one request to the arguments in their order, and gathers what is wrong with them.
public final class InputReader {
    public let call: Call
    public private(set) var faults: [Fault] = []
    private let parts: [InputPart]
    private var next = 0
    private var nextParameter = 0

    init(_ call: Call, _ parts: [InputPart]) {
        self.call = call
        self.parts = parts
    }

    /// The declaration of the argument that reads now.
    func part() -> InputPart {
        defer { next += 1 }
        return parts[next]
    }

    /// For an argument that reads the request by itself.
    public func passOver() { next += 1 }

    func pathParameter() -> (name: String, text: String) {
        defer { nextParameter += 1 }
        return (call.route.parameters[nextParameter], call.pathValues[nextParameter])
    }

    public func fault(_ fault: Fault) { faults.append(fault) }

    /// Checks a value against its schema and makes it one of Swift's; faults are told at `place`.
    func make<Value: Decodable>(_ json: JSON, _ schema: Schema, _ type: Value.Type) -> Value? {
        let found = schema.faults(in: json)
        guard found.isEmpty else {
            faults += found
            return nil
        }
        do {
            return try json.decode(type)
        } catch {
            faults.append(Self.fault(from: error))
            return nil
        }
    }

    /// What a type found wrong that its schema let pass.
    private static func fault(from error: any Error) -> Fault {
        let context: DecodingError.Context? =
            switch error as? DecodingError {
            case .dataCorrupted(let context), .keyNotFound(_, let context), .typeMismatch(_, let context),
                .valueNotFound(_, let context):
                context
            default: nil
            }
        return .at(
            JSON.pointer(to: context?.codingPath ?? []), "invalid",
            context?.debugDescription ?? "is not acceptable")
    }
}
