import Postgres
import Wire

/// What happened, recorded in the transaction that made it happen. It is handed to those who react after the commit, in
/// order for each company, at least once.
public enum Events {
    public static let channel = "events"

    @inline(never)
    public static func record<Data>(
        _ type: EventType<Data>, _ data: Data, on subjectType: String, _ subject: UUID, by actor: Audit.Actor,
        company: UUID, in tx: Transaction
    ) async throws {
        let insert = try sql(type, data, on: subjectType, subject, by: actor, company: company)
        _ = try await tx.query(insert)
        await tx.onCommit { JobBell.here.ring(Hint(channel: channel, payload: "")) }
    }

    /// The same as one statement, to send along with others; noticed within a second.
    public static func sql<Data>(
        _ type: EventType<Data>, _ data: Data, on subjectType: String, _ subject: UUID, by actor: Audit.Actor,
        company: UUID
    ) throws -> SQL {
        let writer = ByteWriter()
        try writer.writeJSON(data)
        return """
            INSERT INTO outbox (id, company_id, type, actor_kind, actor_id, subject_type, subject_id, data)
            VALUES (\(UUID.v7()), \(company), \(type.name), \(actor.kind), \(actor.id), \(subjectType), \(subject),
                    \(JSONText(writer.string)))
            """
    }
}

extension Events {
    /// Events of one type about many things, as one statement.
    public static func sql<Data>(
        _ type: EventType<Data>, all: [(subject: UUID, data: Data)], on subjectType: String,
        by actor: Audit.Actor,
        company: UUID
    ) throws -> SQL {
        let texts = try all.map { event in
            let writer = ByteWriter()
            try writer.writeJSON(event.data)
            return writer.string
        }
        return """
            INSERT INTO outbox (id, company_id, type, actor_kind, actor_id, subject_type, subject_id, data)
            SELECT event.id, \(company)::uuid, \(type.name), \(actor.kind), \(actor.id)::uuid, \(subjectType), event.subject,
                   event.data::jsonb
              FROM unnest(\(all.map { _ in UUID.v7() })::uuid[], \(all.map(\.subject))::uuid[], \(texts)::text[])
                   WITH ORDINALITY AS event (id, subject, data, n)
             ORDER BY event.n
            """
    }
}

/// An event as a reaction is given it.
public struct Event: Sendable {
    public let id: UUID
    public let seq: Int64
    public let company: UUID
    public let type: String
    public let at: Timestamp
    public let actorKind: String
    public let actorId: UUID?
    public let subjectType: String
    public let subjectId: UUID
    public let data: JSON

    static let columns = """
        event.id, event.seq, event.company_id, event.type, event.at, event.actor_kind, event.actor_id,
        event.subject_type, event.subject_id, event.data::text AS data
        """

    init(_ row: Row) throws {
        id = try row.get("id")
        seq = try row.get("seq")
        company = try row.get("company_id")
        type = try row.get("type")
        at = try row.get("at")
        actorKind = try row.get("actor_kind")
        actorId = try row.get("actor_id")
        subjectType = try row.get("subject_type")
        subjectId = try row.get("subject_id")
        data = try JSON.parse(row.get("data", as: String.self))
    }
}
