import Core
import Postgres
import Wire

/// What others may react to in the life of a contact.
enum ContactEvents {
    static let all = [created.erased, updated.erased, deleted.erased, merged.erased]

    static let someId = UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a30")!
    static let otherId = UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a31")!

    /// Without addresses and numbers: not everybody who is told may see them.
    struct Data: Codable, Sendable {
        let contactId: UUID
        let name: String
        let ownerId: UUID?
        let clientId: UUID?
        let lifecycle: ContactLifecycle
        /// The fields that changed.
        let changed: [String]?
    }

    struct MergeData: Codable, Sendable {
        let mergeId: UUID
        let survivorId: UUID
        let absorbedId: UUID
        let isUndone: Bool
    }

    private static func example(_ changed: [String]? = nil) -> Data {
        Data(
            contactId: someId, name: "Anna Berg", ownerId: nil, clientId: otherId, lifecycle: .lead,
            changed: changed)
    }

    static let created = EventType("contact.created", "A contact was made.", example: example())
    static let updated = EventType(
        "contact.updated", "A contact changed: `changed` names the fields.", example: example(["lifecycle"]))
    static let deleted = EventType(
        "contact.deleted", "A contact was put into the trash, or erased.", example: example())
    static let merged = EventType(
        "contact.merged", "Two contacts became one, or two again when `is_undone`.",
        example: MergeData(mergeId: otherId, survivorId: someId, absorbedId: otherId, isUndone: false))

    static func sql(
        _ type: EventType<Data>, _ drafts: [ContactWriting.Draft], by actor: Audit.Actor, _ company: UUID
    ) throws -> SQL {
        try Events.sql(
            type,
            all: drafts.map {
                (
                    $0.id,
                    Data(
                        contactId: $0.id, name: $0.displayName ?? "", ownerId: $0.ownerId,
                        clientId: $0.clientId,
                        lifecycle: $0.lifecycle, changed: nil)
                )
            }, on: "contact", by: actor, company: company)
    }
}

/// The same for clients.
enum ClientEvents {
    static let all = [created.erased, updated.erased, deleted.erased, merged.erased]

    struct Data: Codable, Sendable {
        let clientId: UUID
        let name: String
        let ownerId: UUID?
        let lifecycle: ClientLifecycle
        /// The fields that changed.
        let changed: [String]?
    }

    private static func example(_ changed: [String]? = nil) -> Data {
        Data(
            clientId: ContactEvents.otherId, name: "Northwind", ownerId: nil, lifecycle: .prospect,
            changed: changed)
    }

    static let created = EventType("client.created", "A client was made.", example: example())
    static let updated = EventType(
        "client.updated", "A client changed: `changed` names the fields.", example: example(["lifecycle"]))
    static let deleted = EventType("client.deleted", "A client was put into the trash.", example: example())
    static let merged = EventType(
        "client.merged", "Two clients became one, or two again when `is_undone`.",
        example: ContactEvents.MergeData(
            mergeId: ContactEvents.someId, survivorId: ContactEvents.otherId,
            absorbedId: ContactEvents.someId,
            isUndone: false))

    static func sql(
        _ type: EventType<Data>, _ drafts: [ClientWriting.Draft], by actor: Audit.Actor, _ company: UUID
    ) throws -> SQL {
        try Events.sql(
            type,
            all: drafts.map {
                (
                    $0.id,
                    Data(
                        clientId: $0.id, name: $0.name, ownerId: $0.ownerId, lifecycle: $0.lifecycle,
                        changed: nil)
                )
            }, on: "client", by: actor, company: company)
    }
}
