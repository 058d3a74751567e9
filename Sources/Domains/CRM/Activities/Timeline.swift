import API
import Core
import Postgres
import Wire

/// Everything that happened with somebody, in one list: what people log, and what other parts of the domain tell of it.
enum Timeline {
    /// Something that happened, as whoever knows of it tells it.
    struct Entry: Sendable {
        let id: UUID
        var kind: ActivityKind
        var records: ActivityRecords
        var title: String
        var body: String?
        var direction: ActivityDirection?
        /// When it happened; now unless said otherwise.
        var at: Timestamp?
        var durationSeconds: Int?
        var outcome: String?
        var participants: [String] = []
        var from: String?
        var to: [String] = []
        /// When it is due, while it is still planned.
        var dueAt: Timestamp?
        var endsAt: Timestamp?
        var remindAt: Timestamp?
        /// The member whose it is; whoever logs it unless said otherwise.
        var owner: UUID?
        /// Logging it twice under one id of a source logs it once.
        var source = "manual"
        var externalId: String?

        init(_ kind: ActivityKind, _ title: String, on records: ActivityRecords, id: UUID = .v7()) {
            (self.id, self.kind, self.title, self.records) = (id, kind, title, records)
        }

        var isPlanned: Bool { dueAt != nil }
    }

    /// Logs it in the caller's transaction, with its record and its event. False when it is there already.
    @inline(never) @discardableResult
    static func log(_ entry: Entry, by actor: Audit.Actor, company: UUID, in tx: Transaction) async throws
        -> Bool
    {
        let rows = try await tx.query(insert(entry, by: actor, company: company))
        guard !rows.isEmpty else { return false }
        let text = SearchText(title: [entry.title], body: [entry.body] + entry.participants)
        let data = ActivityEvents.Data(entry)
        let after = try JSON(encoding: data)
        _ = try await tx.batch(
            entry.records.insert(entry.id, company: company)
                + Search.put("activity", [(entry.id, text)], areNew: true, company: company)
                + [
                    Audit.sql(
                        Audit.Entry("activity.logged", on: "activity", entry.id, after: after), by: actor,
                        company: company),
                    try Events.sql(
                        ActivityEvents.logged, data, on: "activity", entry.id, by: actor, company: company),
                    ActivityUpkeep.expect(
                        company, at: "least(\(entry.remindAt)::timestamptz, \(entry.dueAt)::timestamptz)"),
                ])
        return true
    }

    private static func insert(_ entry: Entry, by actor: Audit.Actor, company: UUID) -> SQL {
        let member: SQL = """
            (SELECT m.id FROM memberships m WHERE m.company_id = \(company) AND m.user_id = \(actor.person)::uuid LIMIT 1)
            """
        let at: SQL = "coalesce(\(entry.isPlanned ? entry.dueAt : entry.at)::timestamptz, now())"
        let completed: SQL = entry.isPlanned ? "NULL" : at
        return """
            INSERT INTO activities (company_id, id, kind, direction, title, body, at, due_at, ends_at, completed_at,
                                    duration_seconds, outcome, participants, from_address, to_addresses, owner_id,
                                    created_by, source, external_id, remind_at)
            SELECT \(company)::uuid, \(entry.id)::uuid, \(entry.kind), \(entry.direction), \(entry.title), \(entry.body),
                   \(fragment: at), \(entry.dueAt)::timestamptz, \(entry.endsAt)::timestamptz, \(fragment: completed),
                   \(entry.durationSeconds)::integer, \(entry.outcome), \(entry.participants)::text[], \(entry.from),
                   \(entry.to)::text[], coalesce(\(entry.owner)::uuid, \(fragment: member)), \(fragment: member),
                   \(entry.source), \(entry.externalId), \(entry.remindAt)::timestamptz
            ON CONFLICT (company_id, source, external_id) WHERE external_id IS NOT NULL DO NOTHING
            RETURNING id
            """
    }
}
