import API
import Core
import Postgres
import Wire

/// The record of changes, searched.
enum AuditEvents {
    @RouteList static var routes: [Route] {
        GET("/v1/audit-events", "Search the record of changes", .can(.auditRead), list).describe(
            AuditQuery.grammar)
        GET("/v1/audit-events/{id}", "Read one change, with its place in the chain", .can(.auditRead), read)
            .describe(
                "`hash` is sha-256 over the bytes of `prev_hash` followed by `canonical`. A change is sealed within a "
                    + "second; until then `seq` is null.")
    }

    enum ActorKind: String, Codable, CaseIterable, SQLBindable, Sendable {
        case user
        case apiKey = "api_key"
        case system
    }

    struct Filter: ListFilter {
        let q: Text<200>?
        /// `member.*` stands for all that begin with `member.`
        let action: [String]?
        let actorKind: ActorKind?
        let actorId: UUID?
        let behindId: UUID?
        let targetType: [Text<40>]?
        let targetId: UUID?
        let address: Text<60>?
        let requestId: Text<128>?
        let at: Bounds<Timestamp>?

        static let sorts = ["-at"]
        static let ownFields: Set<String> = ["q", "action"]

        /// The conditions on `a` that lists know nothing of.
        func conditions() throws(Problem) -> SQL {
            var all: [SQL] = []
            if let q { all += try AuditQuery(q.text).conditions }
            if let action, !action.isEmpty { all.append(AuditQuery.action(action)) }
            return AuditQuery.and(all)
        }
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<AuditEvent> {
        try await call.page(list, "\(fragment: select(call.company))\(fragment: list.filter.conditions())")
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<SealedAuditEvent> {
        try Single(await call.db.query(one(id.value, of: call.company)))
    }

    static func one(_ id: UUID, of company: UUID) -> SQL {
        """
        \(fragment: select(company, more: """
            , encode(s.prev_hash, 'hex') AS prev_hash, \(fragment: AuditChain.canonical) AS canonical
            """)) AND a.id = \(id)
        """
    }

    static func select(_ company: UUID, more columns: SQL = "") -> SQL {
        """
        SELECT a.id, a.at, a.actor_kind, a.actor_id, u.name AS actor_name, a.behind_id, a.action, a.target_type,
               a.target_id, a.before, a.after, a.address, a.request_id, s.seq, encode(s.hash, 'hex') AS hash\
        \(fragment: columns)
          FROM audit_log a
          LEFT JOIN users u ON u.id = CASE WHEN a.actor_kind = 'api_key' THEN a.behind_id ELSE a.actor_id END
          LEFT JOIN audit_seals s ON s.company_id = a.company_id AND s.audit_id = a.id
         WHERE a.company_id = \(company)
        """
    }
}

/// One change, as it was recorded.
struct AuditEvent: Codable, Sendable, FieldNotes {
    let id: UUID
    let at: Timestamp
    let actorKind: AuditEvents.ActorKind
    let actorId: UUID?
    let actorName: String?
    let behindId: UUID?
    let action: String
    let targetType: String
    let targetId: UUID?
    let before: JSON?
    let after: JSON?
    let address: String?
    let requestId: String?
    let seq: Int64?
    let hash: String?

    static let fieldNotes = [
        "actor_id": "The user, or the API key that acted.",
        "actor_name": "As the person is called now; the record itself holds the id.",
        "behind_id": "The person behind it: whose key it is, or who acted in the user's name.",
        "before": "The fields that changed, as they were.",
        "after": "The fields that changed, as they are now.",
        "seq": "Its place in the company's chain; null until it is sealed.",
        "hash": "The hash of its seal, in hexadecimal.",
    ]
}

/// The same with all it takes to check its seal.
struct SealedAuditEvent: Codable, Sendable, FieldNotes {
    let id: UUID
    let at: Timestamp
    let actorKind: AuditEvents.ActorKind
    let actorId: UUID?
    let actorName: String?
    let behindId: UUID?
    let action: String
    let targetType: String
    let targetId: UUID?
    let before: JSON?
    let after: JSON?
    let address: String?
    let requestId: String?
    let seq: Int64?
    let hash: String?
    let prevHash: String?
    let canonical: String

    static let fieldNotes = AuditEvent.fieldNotes.merging([
        "prev_hash": "The hash of the seal before it.",
        "canonical": "The text that is hashed, byte for byte.",
    ]) { first, _ in first }
}
