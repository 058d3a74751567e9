import API
import Core
import Postgres
import Wire

/// One entry of a timeline.
struct TimelineEntry: Codable, Sendable, FieldNotes {
    let id: UUID
    let at: Timestamp
    let kind: TimelineKind
    let title: String?
    let body: String?
    let recordKind: String?
    let recordId: UUID?
    let memberId: UUID?
    let memberName: String?
    let data: JSON

    static let fieldNotes = [
        "id": "Of the activity, comment or task; of what has no id of its own, one made for it.",
        "record_kind": "What it happened to, where that is one record: a deal of the client, for instance.",
        "data": "What else there is to a kind: outcomes, stages, states.",
    ]
}

enum TimelineKind: String, Codable, CaseIterable, Sendable {
    case call, meeting, email, note, system, stage, lead, disqualification, conversion, comment, task

    static let ofActivities: [TimelineKind] = [.call, .meeting, .email, .note, .system]
}

extension Timeline {
    /// A statement of everything about a record and what belongs to it: for a client its contacts, leads and deals, for a
    /// contact his leads and deals; as far as this one sees them. Columns as of `TimelineEntry`.
    static func statement(
        of record: CRMRecord, _ id: UUID, kinds: [TimelineKind]? = nil, _ principal: Principal
    ) -> SQL {
        let reach = TimelineReach(record, id, principal)
        let wanted = Set(kinds ?? TimelineKind.allCases)
        var branches: [SQL] = []
        let activities = TimelineKind.ofActivities.filter(wanted.contains).map(\.rawValue)
        if !activities.isEmpty { branches.append(reach.activities(activities)) }
        if wanted.contains(.comment) { branches += reach.comments() }
        if wanted.contains(.task), let tasks = reach.tasks() { branches.append(tasks) }
        if let deals = reach.deals, wanted.contains(.stage) { branches.append(reach.stages(deals)) }
        if let leads = reach.leads {
            if wanted.contains(.lead) { branches.append(reach.arrivals(leads)) }
            if wanted.contains(.disqualification) { branches.append(reach.disqualifications(leads)) }
            if wanted.contains(.conversion) { branches.append(reach.conversions(leads)) }
        }
        if branches.isEmpty { branches = [reach.nothing] }
        return "SELECT happened.* FROM (\(fragment: branches.joined(separator: "\nUNION ALL\n"))) AS happened"
    }
}

/// The records that one record's timeline is made of, and what is told of each kind of them.
struct TimelineReach {
    let principal: Principal
    let company: UUID
    /// Statements of ids, by kind of record; nil where none belong to it.
    var ids: [(kind: CRMRecord, sql: SQL)]

    init(_ record: CRMRecord, _ id: UUID, _ principal: Principal) {
        let company = principal.companyId ?? .zero
        func those(_ table: String, _ condition: SQL) -> SQL {
            """
            SELECT r.id FROM \(unescaped: table) r
             WHERE r.company_id = \(company) AND \(fragment: condition) AND \(fragment: CRMAccess.visible(principal, "r"))
            """
        }
        ids = [(record, "SELECT \(id)::uuid")]
        switch record {
        case .client:
            ids += [
                (
                    .contact,
                    those(
                        "contacts",
                        "r.id IN (SELECT cc.contact_id FROM contact_clients cc WHERE cc.company_id = \(company) AND cc.client_id = \(id))"
                    )
                ),
                (.lead, those("leads", "r.client_id = \(id)")),
                (.deal, those("deals", "r.client_id = \(id)")),
            ]
        case .contact:
            ids += [
                (.lead, those("leads", "r.contact_id = \(id)")),
                (.deal, those("deals", "r.contact_id = \(id)")),
            ]
        case .lead, .deal: break
        }
        (self.principal, self.company) = (principal, company)
    }

    var leads: SQL? { ids.first { $0.kind == .lead }?.sql }
    var deals: SQL? { ids.first { $0.kind == .deal }?.sql }

    private static func member(_ column: String, of table: String) -> SQL {
        """
        \(unescaped: column) AS member_id,
        (SELECT u.name FROM memberships m JOIN users u ON u.id = m.user_id
          WHERE m.company_id = \(unescaped: table).company_id AND m.id = \(unescaped: column)) AS member_name
        """
    }

    func activities(_ kinds: [String]) -> SQL {
        let linked = ids.map { kind, sql -> SQL in
            """
            SELECT l.activity_id FROM activity_links l
             WHERE l.company_id = \(company) AND l.\(unescaped: "\(kind.rawValue)_id") IN (\(fragment: sql))
            """
        }
        return """
            SELECT a.id, a.at, a.kind, a.title, a.body, NULL::text AS record_kind, NULL::uuid AS record_id,
                   \(fragment: Self.member("a.created_by", of: "a")),
                   jsonb_build_object('direction', a.direction, 'outcome', a.outcome, 'due_at', a.due_at, 'completed_at',
                                      a.completed_at, 'duration_seconds', a.duration_seconds, 'pinned_at', a.pinned_at) AS data
              FROM activities a
             WHERE a.company_id = \(company) AND a.deleted_at IS NULL AND a.kind = ANY(\(kinds))
               AND a.id IN (\(fragment: linked.joined(separator: " UNION ALL ")))
            """
    }

    func comments() -> [SQL] {
        let isInternalRead =
            PermissionCatalogue.named("comments:internal").map(principal.permissions.contains) ?? false
        return ids.map { kind, sql in
            """
            SELECT c.id, c.created_at AS at, 'comment' AS kind, NULL::text AS title, c.body, c.subject_kind AS record_kind,
                   c.subject_id AS record_id, m.id AS member_id, u.name AS member_name,
                   jsonb_build_object('is_internal', c.is_internal) AS data
              FROM comments c
              LEFT JOIN users u ON u.id = c.author_id
              LEFT JOIN memberships m ON m.company_id = c.company_id AND m.user_id = c.author_id
             WHERE c.company_id = \(company) AND c.subject_kind = \(kind.rawValue) AND c.deleted_at IS NULL
               AND (\(isInternalRead) OR NOT c.is_internal) AND c.subject_id IN (\(fragment: sql))
            """
        }
    }

    /// Nil for those who see no tasks at all.
    func tasks() -> SQL? {
        guard let see = PermissionCatalogue.named("tasks:read"), principal.permissions.contains(see) else {
            return nil
        }
        let linked = ids.map { kind, sql -> SQL in
            """
            SELECT k.task_id FROM crm_task_links k
             WHERE k.company_id = \(company) AND k.\(unescaped: "\(kind.rawValue)_id") IN (\(fragment: sql))
            """
        }
        return """
            SELECT t.id, t.created_at AS at, 'task' AS kind, t.title, NULL::text AS body, NULL::text AS record_kind,
                   NULL::uuid AS record_id, \(fragment: Self.member("t.reporter_id", of: "t")),
                   jsonb_build_object('key', p.key || '-' || t.number, 'category', t.category, 'due_on', t.due_on,
                                      'completed_at', t.completed_at) AS data
              FROM tasks t
              JOIN projects p ON p.company_id = t.company_id AND p.id = t.project_id
             WHERE t.company_id = \(company) AND t.deleted_at IS NULL AND \(fragment: ProjectSight.visible(principal, "p"))
               AND t.id IN (\(fragment: linked.joined(separator: " UNION ALL ")))
            """
    }

    func stages(_ deals: SQL) -> SQL {
        """
        SELECT md5(e.deal_id::text || e.seq::text)::uuid AS id, e.at, 'stage' AS kind, s.name AS title, NULL::text AS body,
               'deal' AS record_kind, e.deal_id AS record_id, \(fragment: Self.member("e.member_id", of: "e")),
               jsonb_build_object('from', b.name, 'to', s.name, 'to_kind', e.to_kind, 'amount_minor',
                                  \(fragment: CRMAccess.amount("e.amount_minor", principal)), 'currency', e.currency) AS data
          FROM deal_stage_events e
          LEFT JOIN stages s ON s.company_id = e.company_id AND s.id = e.to_stage
          LEFT JOIN stages b ON b.company_id = e.company_id AND b.id = e.from_stage
         WHERE e.company_id = \(company) AND e.deal_id IN (\(fragment: deals))
        """
    }

    func arrivals(_ leads: SQL) -> SQL {
        """
        SELECT r.id, r.created_at AS at, 'lead' AS kind, r.title, r.message AS body, 'lead' AS record_kind, r.id AS record_id,
               \(fragment: Self.member("r.created_by", of: "r")), jsonb_build_object('status', r.status) AS data
          FROM leads r
         WHERE r.company_id = \(company) AND r.id IN (\(fragment: leads))
        """
    }

    func disqualifications(_ leads: SQL) -> SQL {
        """
        SELECT md5(r.id::text || 'out')::uuid AS id, r.disqualified_at AS at, 'disqualification' AS kind, r.title,
               r.disqualified_for AS body, 'lead' AS record_kind, r.id AS record_id, NULL::uuid AS member_id,
               NULL::text AS member_name, '{}'::jsonb AS data
          FROM leads r
         WHERE r.company_id = \(company) AND r.disqualified_at IS NOT NULL AND r.id IN (\(fragment: leads))
        """
    }

    func conversions(_ leads: SQL) -> SQL {
        """
        SELECT md5(v.lead_id::text || 'conversion')::uuid AS id, v.converted_at AS at, 'conversion' AS kind,
               r.title, NULL::text AS body, 'lead' AS record_kind, v.lead_id AS record_id,
               \(fragment: Self.member("v.converted_by", of: "v")),
               jsonb_build_object('client_id', v.client_id, 'contact_id', v.contact_id, 'deal_id', v.deal_id) AS data
          FROM lead_conversions v
          JOIN leads r ON r.company_id = v.company_id AND r.id = v.lead_id
         WHERE v.company_id = \(company) AND v.lead_id IN (\(fragment: leads))
        """
    }

    var nothing: SQL {
        """
        SELECT NULL::uuid AS id, NULL::timestamptz AS at, NULL::text AS kind, NULL::text AS title, NULL::text AS body,
               NULL::text AS record_kind, NULL::uuid AS record_id, NULL::uuid AS member_id, NULL::text AS member_name,
               NULL::jsonb AS data WHERE FALSE
        """
    }
}
