import API
import Core
import Wire

/// The catalogue of what may be subscribed to: every type of event of every domain.
enum EventTypes {
    @RouteList static var routes: [Route] {
        GET("/v1/webhook-event-types", "List the types of events", .can(.webhooksRead), list)
            .describe(
                "Every message is `{\"type\", \"timestamp\", \"data\"}`; `schema` and `example` are those of `data`."
            )
    }

    struct EventTypeEntry: Codable, Sendable {
        let name: String
        let summary: String
        let schema: JSON
        let example: JSON
    }

    struct EventTypeList: Codable, Sendable {
        let data: [EventTypeEntry]
    }

    static func list(_ call: Call) async throws -> Single<EventTypeList> {
        Single(
            EventTypeList(
                data: try EventCatalogue.all.map { type in
                    EventTypeEntry(
                        name: type.name, summary: type.summary, schema: try type.dataSchema().json,
                        example: type.example)
                }))
    }

    static var names: Set<String> { Set(EventCatalogue.all.map(\.name)) }

    /// The patterns that stand for this type: itself, and each beginning of it.
    static func patterns(for name: String) -> [String] {
        let parts = name.split(separator: ".")
        return [name] + (1..<max(parts.count, 1)).map { parts.prefix($0).joined(separator: ".") + ".*" }
    }

    static func pattern(_ pattern: String, fits name: String) -> Bool {
        patterns(for: name).contains(pattern)
    }
}
