import API
import Core
import Postgres
import Wire

/// The deals of a pipeline side by side in its stages: of each the first cards, and what is counted and summed of all.
enum PipelineBoard {
    @RouteList static var routes: [Route] {
        GET("/v1/pipelines/{id}/board", "Show a pipeline's board", .can(.crmRead), show)
            .operation("showPipelineBoard")
            .describe(
                "Every stage with its first deals in their order; the rest of one is read by GET /v1/deals with `stage_id` and "
                    + "`sort=rank`. Archived deals are left out.")
    }

    struct Asked: Codable, Sendable, FieldNotes {
        let limit: Whole<1, 100>?
        let owner: [DealFilter.Owner]?
        let kind: [StageKind]?
        let tag: [UUID]?
        let q: Text<200>?

        static let fieldNotes = ["limit": "How many deals of each stage are shown; 20 when absent."]
    }

    struct Board: Codable, Sendable {
        let pipelineId: UUID
        let name: String
        let columns: [Column]
    }

    struct Column: Codable, Sendable, FieldNotes {
        let stageId: UUID
        let name: String
        let kind: StageKind
        let color: String?
        let probabilityBp: Int
        let rottingDays: Int?
        let count: Int
        let baseMinor: Int64?
        let weightedMinor: Int64?
        let deals: [Card]

        static let fieldNotes = [
            "base_minor": "The sum of its deals in the company's currency; null without crm:amounts.",
            "weighted_minor": "The sum of amount × probability, divided by 10,000 and rounded half up once.",
        ]
    }

    struct Card: Codable, Sendable {
        let id: UUID
        let name: String
        let clientName: String?
        let contactName: String?
        let ownerId: UUID?
        let amountMinor: Int64?
        let currency: String?
        let closeOn: LocalDate?
        let probabilityBp: Int
        let isStuck: Bool
        let rank: String
        let tagIds: [UUID]
        let version: Int
    }

    static func show(_ call: Call, _ id: Path<UUID>, _ asked: Query<Asked>) async throws -> Single<Board> {
        guard let principal = call.principal else { throw Problem.unauthorized }
        let company = try call.company
        let hasAmounts = DealRows.hasAmounts(principal)
        let from: SQL = """
            FROM deals d
             WHERE d.company_id = s.company_id AND d.stage_id = s.id AND d.deleted_at IS NULL AND d.archived_at IS NULL
               AND \(fragment: CRMAccess.isShown(to: principal, "d"))\(fragment: try conditions(asked.value, principal, company))
            """
        let kinds: SQL = asked.kind.map { "AND s.kind = ANY(\($0))" } ?? ""
        let sums: SQL =
            hasAmounts
            ? "coalesce(sum(d.base_minor), 0)::bigint AS base, div(coalesce(sum(\(fragment: weight)), 0) + 5000, 10000)::bigint AS weighted"
            : "NULL::bigint AS base, NULL::bigint AS weighted"
        return try Single(
            await call.db.query(
                """
                SELECT p.id AS pipeline_id, p.name,
                       (SELECT coalesce(jsonb_agg(jsonb_build_object(
                                   'stage_id', s.id, 'name', s.name, 'kind', s.kind, 'color', s.color,
                                   'probability_bp', s.probability_bp, 'rotting_days', s.rotting_days, 'count', held.count,
                                   'base_minor', held.base, 'weighted_minor', held.weighted, 'deals', firsts.deals)
                                   ORDER BY s.position, s.id), '[]')
                          FROM stages s
                         CROSS JOIN LATERAL (SELECT count(*) AS count, \(fragment: sums) \(fragment: from)) AS held
                         CROSS JOIN LATERAL (
                            SELECT coalesce(jsonb_agg(\(fragment: card(principal)) ORDER BY d.rank), '[]') AS deals
                              FROM (SELECT d.* \(fragment: from) ORDER BY d.rank LIMIT \(asked.limit?.value ?? 20)) AS d
                         ) AS firsts
                         WHERE s.company_id = p.company_id AND s.pipeline_id = p.id \(fragment: kinds)) AS columns
                  FROM pipelines p WHERE p.company_id = \(company) AND p.id = \(id.value)
                """))
    }

    private static let weight: SQL = "d.base_minor::numeric * \(fragment: DealRows.probability)"

    private static func conditions(_ asked: Asked, _ principal: Principal, _ company: UUID) throws -> SQL {
        var all: [SQL] = []
        if let owner = asked.owner {
            all.append(DealFilter.Owner.condition(owner, "d.owner_id", me: principal.memberId))
        }
        if let tag = asked.tag { all.append(DealWriting.tags.hasAny(tag, of: "d.id", company: company)) }
        if let q = asked.q { all.append(Search.condition("deal", q.text, "d.id", company: company)) }
        return all.map { " AND \(fragment: $0)" as SQL }.joined(separator: "")
    }

    private static func card(_ principal: Principal) -> SQL {
        let hasAmounts = DealRows.hasAmounts(principal)
        return """
            jsonb_build_object(
                'id', d.id, 'name', d.name,
                'client_name', (SELECT c.name FROM clients c WHERE c.company_id = d.company_id AND c.id = d.client_id
                                   AND \(fragment: CRMAccess.visible(principal, "c"))),
                'contact_name', (SELECT c.name FROM contacts c WHERE c.company_id = d.company_id AND c.id = d.contact_id
                                    AND \(fragment: CRMAccess.visible(principal, "c"))),
                'owner_id', d.owner_id, 'amount_minor', \(unescaped: hasAmounts ? "d.amount_minor" : "NULL::bigint"),
                'currency', \(unescaped: hasAmounts ? "d.currency" : "NULL::text"), 'close_on', d.close_on,
                'probability_bp', \(fragment: DealRows.probability), 'is_stuck', \(fragment: DealRows.isStuck), 'rank', d.rank,
                'tag_ids', \(fragment: DealWriting.tags.ids(of: "d.id", company: principal.companyId ?? .zero)),
                'version', d.version)
            """
    }
}
