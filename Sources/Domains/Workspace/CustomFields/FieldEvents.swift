import Core
import Postgres
import Wire

/// What others may react to.
enum FieldEvents {
    static let all = [created.erased, updated.erased, deleted.erased]

    struct Data: Codable, Sendable {
        let customFieldId: UUID
        let kind: String
        let key: String
    }

    private static let example = Data(
        customFieldId: UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a30")!, kind: "task", key: "channel")

    static let created = EventType(
        "custom_field.created", "Things of a kind have one field more.", example: example)
    static let updated = EventType("custom_field.updated", "A custom field changed.", example: example)
    static let deleted = EventType(
        "custom_field.deleted", "A custom field is gone, with its values.", example: example)

    static func sql(
        _ type: EventType<Data>, _ id: UUID, _ kind: String, _ key: String, by actor: Audit.Actor,
        _ company: UUID
    ) throws -> SQL {
        try Events.sql(
            type, Data(customFieldId: id, kind: kind, key: key), on: "custom_field", id, by: actor,
            company: company)
    }
}
