import Core
import Postgres
import Wire

/// What others may react to.
enum TagEvents {
    static let all = [created.erased, updated.erased, deleted.erased, merged.erased]

    struct Data: Codable, Sendable {
        let tagId: UUID
        let name: String
    }

    struct MergeData: Codable, Sendable {
        let tagId: UUID
        let name: String
        let intoId: UUID
    }

    private static let id = UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a20")!
    private static let tag = Data(tagId: id, name: "Spring launch")

    static let created = EventType("tag.created", "A tag was made.", example: tag)
    static let updated = EventType("tag.updated", "A tag changed.", example: tag)
    static let deleted = EventType(
        "tag.deleted", "A tag was deleted; whatever carried it has lost it.", example: tag)
    static let merged = EventType(
        "tag.merged", "A tag is gone, and what carried it carries `into_id` now.",
        example: MergeData(
            tagId: id, name: "Spring launch", intoId: UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a21")!))

    static func sql(
        _ type: EventType<Data>, _ id: UUID, _ name: String, by actor: Audit.Actor, _ company: UUID
    ) throws -> SQL {
        try Events.sql(type, Data(tagId: id, name: name), on: "tag", id, by: actor, company: company)
    }

    static func merge(_ id: UUID, _ name: String, into other: UUID, by actor: Audit.Actor, _ company: UUID)
        throws -> SQL
    {
        try Events.sql(
            merged, MergeData(tagId: id, name: name, intoId: other), on: "tag", id, by: actor,
            company: company)
    }
}
