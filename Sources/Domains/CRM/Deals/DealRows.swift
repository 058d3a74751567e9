import API
import Core
import Postgres
import Wire

/// How deals are read: one SELECT for lists, boards and details, so that they all say the same.
enum DealRows {
    /// A condition on `d` and `s`: it has been in its stage for too long.
    static let isStuck: SQL = """
        (d.stage_kind = 'open' AND s.rotting_days IS NOT NULL
         AND d.stage_entered_at < now() - make_interval(days => s.rotting_days))
        """

    static let probability: SQL = "coalesce(d.probability_bp, s.probability_bp)"
    /// In whole minor units, halves up.
    static let weighted: SQL = "((d.base_minor::numeric * \(fragment: probability) + 5000) / 10000)"

    static func summary(_ principal: Principal) -> SQL {
        """
        d.id, d.name, d.pipeline_id, d.stage_id, s.name AS stage_name, d.stage_kind AS kind,
        d.client_id, \(fragment: client(principal)) AS client_name,
        d.contact_id, \(fragment: contact(principal)) AS contact_name,
        d.owner_id, d.lead_id, d.source_id, \(fragment: CRMAccess.amount("d.amount_minor", principal)) AS amount_minor,
        \(fragment: hasAmounts(principal) ? "d.currency" : "NULL::text") AS currency,
        \(fragment: CRMAccess.amount("d.base_minor", principal)) AS base_minor,
        \(fragment: hasAmounts(principal) ? "trunc(\(fragment: weighted))::bigint" : "NULL::bigint") AS weighted_minor,
        d.amount_is_of_lines, \(fragment: probability) AS probability_bp, d.close_on, d.rank,
        \(fragment: isStuck) AS is_stuck, d.stage_entered_at, d.closed_at,
        \(fragment: DealWriting.tags.ids(of: "d.id", company: principal.companyId ?? .zero)) AS tag_ids, d.custom,
        d.archived_at, d.deleted_at, d.version, d.created_at, d.updated_at
        """
    }

    static func detail(_ principal: Principal) -> SQL {
        """
        \(fragment: summary(principal)), d.description, d.lost_reason_id, d.lost_note, d.lost_to_id, d.created_by,
        ARRAY(SELECT c.competitor_id FROM deal_competitors c
               WHERE c.company_id = d.company_id AND c.deal_id = d.id ORDER BY c.created_at, c.competitor_id) AS competitor_ids
        """
    }

    /// What a list can be sorted by beside what it shows.
    static let sorts: SQL = """
        coalesce(d.close_on, '9999-12-31'::date) AS closing, coalesce(d.base_minor, 0) AS amount
        """

    /// Joined by the whole of the foreign key: then the planner knows that no row is lost, and reads deals in the order
    /// asked for, and stops.
    static let from: SQL = """
        FROM deals d
        JOIN stages s ON s.company_id = d.company_id AND s.pipeline_id = d.pipeline_id AND s.id = d.stage_id
         AND s.kind = d.stage_kind
        """

    static func hasAmounts(_ principal: Principal) -> Bool { principal.permissions.contains(.crmAmounts) }

    private static func client(_ principal: Principal) -> SQL {
        """
        (SELECT c.name FROM clients c
          WHERE c.company_id = d.company_id AND c.id = d.client_id AND \(fragment: CRMAccess.visible(principal, "c")))
        """
    }

    private static func contact(_ principal: Principal) -> SQL {
        """
        (SELECT c.name FROM contacts c
          WHERE c.company_id = d.company_id AND c.id = d.contact_id AND \(fragment: CRMAccess.visible(principal, "c")))
        """
    }

    /// The deal in full, as this caller sees it. Whoever has just given it away reads it once more.
    @inline(never)
    static func one(_ id: UUID, _ call: Call, afterWriting: Bool = false) async throws -> Rows {
        guard let principal = call.principal else { throw Problem.unauthorized }
        let seen: SQL = afterWriting ? "TRUE" : CRMAccess.isShown(to: principal, "d")
        return try await call.db.query(
            """
            SELECT \(fragment: detail(principal)) \(fragment: from)
             WHERE d.company_id = \(try call.company) AND d.id = \(id) AND \(fragment: seen)
               AND (d.deleted_at IS NULL OR \(afterWriting))
            """)
    }
}
