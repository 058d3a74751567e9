import Wire

/// The JSON body, whole and checked.
@dynamicMemberLookup
public struct Body<Value: Decodable & Sendable>: RouteInput {
    public let value: Value
    public init(_ value: Value) { self.value = value }

    public subscript<Member>(dynamicMember path: KeyPath<Value, Member>) -> Member { value[keyPath: path] }

    public static func part() throws(Schema.ProbeError) -> InputPart {
        .body(try Schema.of(Value.self, as: .input))
    }

    public static func read(_ reader: InputReader) -> Body? {
        guard case .body(let schema) = reader.part(), let json = reader.json() else { return nil }
        return reader.make(json, schema, Value.self).map(Body.init)
    }
}

/// A merge patch (RFC 7396): what is absent stays, what is null is emptied where the property is `Clearable`.
@dynamicMemberLookup
public struct Patch<Value: Decodable & Sendable>: RouteInput {
    public let value: Value
    /// The patch asks for nothing.
    public let isEmpty: Bool

    public init(_ value: Value, isEmpty: Bool = false) {
        self.value = value
        self.isEmpty = isEmpty
    }

    public subscript<Member>(dynamicMember path: KeyPath<Value, Member>) -> Member { value[keyPath: path] }

    public static func part() throws(Schema.ProbeError) -> InputPart {
        .patch(try Schema.of(Value.self, as: .patch))
    }

    public static func read(_ reader: InputReader) -> Patch? {
        guard case .patch(let schema) = reader.part(), let json = reader.json() else { return nil }
        return reader.make(json, schema, Value.self).map {
            Patch($0, isEmpty: json.objectValue?.isEmpty ?? true)
        }
    }
}

/// The body as the handler reads it itself: uploads, webhooks whose signature covers the raw bytes.
public struct Upload: RouteInput {
    public static func part() -> InputPart { .stream(mediaType: "*/*") }

    public static func read(_ reader: InputReader) -> Upload? {
        _ = reader.part()
        return Upload()
    }
}

extension InputReader {
    /// The body as JSON; nil when it is none, which is then a fault.
    func json() -> JSON? {
        do throws(JSON.SyntaxError) {
            return try JSON.parse(call.bodyBytes)
        } catch {
            fault(
                Fault(
                    .body(""), "malformed-json", "the body \(error.reason), at byte \(error.offset)",
                    isSyntax: true))
            return nil
        }
    }
}
