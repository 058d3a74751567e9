import API
import Synchronization

/// Every type of event there is. The app declares it once, before anything else starts.
public enum EventCatalogue {
    private static let content = Mutex<[String: AnyEventType]>([:])

    /// Two types of one name are a mistake of the program.
    public static func declare(_ types: [AnyEventType]) {
        let byName = Dictionary(types.map { ($0.name, $0) }) { one, _ in
            preconditionFailure("two types of events are called \(one.name)")
        }
        content.withLock { $0 = byName }
    }

    public static var all: [AnyEventType] {
        content.withLock { Array($0.values) }.sorted { $0.name < $1.name }
    }

    public static func named(_ name: String) -> AnyEventType? { content.withLock { $0[name] } }
}

extension AnyEventType {
    /// Of what is told about such an event.
    public func dataSchema() throws(Schema.ProbeError) -> Schema { try Schema.of(dataType, as: .output) }

    /// As the contract shows it; a type without a schema is a mistake of the program.
    var webhook: OpenAPI.Webhook {
        do {
            return OpenAPI.Webhook(name, summary, data: try dataSchema(), example: example)
        } catch {
            preconditionFailure("the event \(name) has no schema: \(error)")
        }
    }
}
