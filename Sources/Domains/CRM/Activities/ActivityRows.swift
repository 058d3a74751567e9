import API
import Core
import Postgres
import Wire

/// Activities as a caller reads them.
enum ActivityRows {
    static func select(_ principal: Principal) -> SQL {
        """
        SELECT \(fragment: columns(principal))
          FROM activities a
         WHERE a.company_id = \(principal.companyId) AND \(fragment: ActivityAccess.visible(principal))
        """
    }

    @inline(never)
    static func one(_ id: UUID, _ call: Call) async throws -> Rows {
        guard let principal = call.principal else { throw Problem.unauthorized }
        return try await call.db.query("\(fragment: select(principal)) AND a.id = \(id)")
    }

    static func columns(_ principal: Principal) -> SQL {
        let mayReadAddresses = principal.permissions.contains(.crmContactData)
        return """
            a.id, a.kind, a.direction, a.title, a.body, a.at, a.due_at, a.ends_at, a.completed_at,
            a.completed_at IS NULL AND a.due_at < now() AS is_overdue, a.duration_seconds, a.outcome, a.participants,
            \(fragment: CRMAccess.contactData("a.from_address", principal)) AS from_address,
            \(unescaped: mayReadAddresses ? "a.to_addresses" : "'{}'::text[]") AS to_addresses,
            a.owner_id, \(fragment: name(of: "a.owner_id")) AS owner_name,
            a.created_by, \(fragment: name(of: "a.created_by")) AS created_by_name,
            a.source, a.external_id, a.pinned_at, a.edited_at, a.remind_at, \(fragment: records(principal)) AS records,
            a.version, a.created_at, a.updated_at
            """
    }

    static func name(of column: String) -> SQL {
        """
        (SELECT u.name FROM memberships m JOIN users u ON u.id = m.user_id
          WHERE m.company_id = a.company_id AND m.id = \(unescaped: column))
        """
    }

    private static func records(_ principal: Principal) -> SQL {
        """
        (SELECT coalesce(jsonb_agg(jsonb_build_object(
                    'kind', CASE WHEN c.id IS NOT NULL THEN 'client' WHEN p.id IS NOT NULL THEN 'contact'
                                 WHEN ld.id IS NOT NULL THEN 'lead' ELSE 'deal' END,
                    'id', coalesce(c.id, p.id, ld.id, d.id), 'name', coalesce(c.name, p.name, ld.title, d.name))
                    ORDER BY coalesce(c.name, p.name, ld.title, d.name)), '[]')
           FROM activity_links l \(fragment: ActivityAccess.records(principal))
          WHERE l.company_id = a.company_id AND l.activity_id = a.id AND \(fragment: ActivityAccess.isThere))
        """
    }
}

/// What somebody is about, by kind, id and name.
struct RecordReference: Codable, Sendable {
    let kind: String
    let id: UUID
    let name: String
}

struct Activity: Codable, Sendable, FieldNotes {
    let id: UUID
    let kind: ActivityKind
    let direction: ActivityDirection?
    let title: String
    let body: String?
    let at: Timestamp
    let dueAt: Timestamp?
    let endsAt: Timestamp?
    let completedAt: Timestamp?
    let isOverdue: Bool
    let durationSeconds: Int?
    let outcome: String?
    let participants: [String]
    let fromAddress: String?
    let toAddresses: [String]
    let ownerId: UUID?
    let ownerName: String?
    let createdBy: UUID?
    let createdByName: String?
    let source: String
    let externalId: String?
    let pinnedAt: Timestamp?
    let editedAt: Timestamp?
    let remindAt: Timestamp?
    let records: [RecordReference]
    let version: Int
    let createdAt: Timestamp
    let updatedAt: Timestamp

    static let fieldNotes = [
        "at": "When it happened; while it is planned, when it is due.",
        "completed_at": "Null while it is planned.",
        "from_address": "Null, as `to_addresses` is empty, without the right to see contact data.",
        "records": "The clients, contacts, leads and deals it is about, as far as one sees them.",
        "source": "Where it was logged from.",
        "external_id": "What it is called there: logging it again answers this activity.",
    ]
}

struct NewActivity: Codable, Sendable, FieldNotes {
    let kind: LoggedKind
    let direction: ActivityDirection?
    let title: Text<250>
    let body: Prose<50_000>?
    let at: Timestamp?
    let dueAt: Timestamp?
    let endsAt: Timestamp?
    let durationSeconds: Whole<0, 604_800>?
    let outcome: Text<120>?
    let participants: UpTo<50, Text<120>>?
    let fromAddress: Email?
    let toAddresses: UpTo<50, Email>?
    let ownerId: UUID?
    let source: Text<60>?
    let externalId: Text<250>?
    let remindAt: Timestamp?
    let clientIds: UpTo<20, UUID>?
    let contactIds: UpTo<20, UUID>?
    let leadIds: UpTo<20, UUID>?
    let dealIds: UpTo<20, UUID>?

    static let fieldNotes = [
        "at": "When it happened; now unless said otherwise.",
        "due_at": "It is planned for then, and not done yet.",
        "remind_at": "Its owner is told once, while it is not done.",
        "external_id": "What it is called at its `source`: logging it again answers the first.",
    ]

    var records: ActivityRecords {
        ActivityRecords(
            clients: clientIds?.items ?? [], contacts: contactIds?.items ?? [], leads: leadIds?.items ?? [],
            deals: dealIds?.items ?? [])
    }

    /// What people log themselves.
    enum LoggedKind: String, Codable, CaseIterable, Sendable {
        case call, meeting, email, note
        var kind: ActivityKind { ActivityKind(rawValue: rawValue) ?? .note }
    }
}

struct ActivityChange: Codable, Sendable {
    let direction: Clearable<ActivityDirection>
    let title: Text<250>?
    let body: Clearable<Prose<50_000>>
    let at: Timestamp?
    let dueAt: Timestamp?
    let endsAt: Clearable<Timestamp>
    let durationSeconds: Clearable<Whole<0, 604_800>>
    let outcome: Clearable<Text<120>>
    let participants: UpTo<50, Text<120>>?
    let fromAddress: Clearable<Email>
    let toAddresses: UpTo<50, Email>?
    let ownerId: Clearable<UUID>
    let remindAt: Clearable<Timestamp>
    let clientIds: UpTo<20, UUID>?
    let contactIds: UpTo<20, UUID>?
    let leadIds: UpTo<20, UUID>?
    let dealIds: UpTo<20, UUID>?
}
