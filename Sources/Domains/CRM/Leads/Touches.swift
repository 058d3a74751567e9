import API
import Core
import Postgres
import Wire

/// The ways by which people came, and what came of each source.
enum Touches {
    @RouteList static var routes: [Route] {
        GET("/v1/contacts/{id}/touches", "List the ways a contact came to us", .can(.crmRead), list)
            .operation("listContactTouches").describe(
                "The first and the last of them are the ones usually credited.")
        GET("/v1/crm/sources", "Compare lead sources", .can(.crmRead), sources).operation(
            "compareLeadSources"
        )
        .describe(
            "Of the leads one may see that came in between the bounds, by their source. What was won is told in the "
                + "company's own currency, and null without crm:amounts.")
    }

    struct Touch: Codable, Sendable {
        let id: UUID
        let contactId: UUID
        let leadId: UUID?
        let channel: String
        let sourceId: UUID?
        let sourceName: String?
        let campaign: String?
        let utm: JSON
        let page: String?
        let referrer: String?
        let isFirst: Bool
        let isLast: Bool
        let at: Timestamp
    }

    struct Filter: ListFilter {
        let channel: [String]?
        let at: Bounds<Timestamp>?
        static let sorts = ["at"]
    }

    static func list(_ call: Call, _ id: Path<UUID>, _ list: List<Filter>) async throws -> Page<Touch> {
        try await CRMAccess.require(.contact, id.value, call)
        return try await call.page(
            list,
            """
            SELECT t.id, t.contact_id, t.lead_id, t.channel, t.source_id, s.name AS source_name, t.campaign, t.utm, t.page,
                   t.referrer, t.at = min(t.at) OVER () AS is_first, t.at = max(t.at) OVER () AS is_last, t.at
              FROM touches t
              LEFT JOIN lead_sources s ON s.company_id = t.company_id AND s.id = t.source_id
             WHERE t.company_id = \(call.company) AND t.contact_id = \(id)
            """)
    }

    struct SourceSums: Codable, Sendable, FieldNotes {
        let sourceId: UUID?
        let name: String?
        let channel: String?
        let leads: Int
        let qualified: Int
        let converted: Int
        let disqualified: Int
        let won: Int
        let wonMinor: Int64?
        let conversionPercent: Double?

        static let fieldNotes = ["qualified": "Those that are qualified or were converted."]
    }

    struct Span: Codable, Sendable {
        let since: Timestamp?
        let until: Timestamp?
    }

    static func sources(_ call: Call, _ span: Query<Span>) async throws -> Page<SourceSums> {
        guard let principal = call.principal else { throw Problem.unauthorized }
        let rows = try await call.db.report(
            """
            SELECT l.source_id, s.name, s.channel, count(*)::integer AS leads,
                   (count(*) FILTER (WHERE l.status IN ('qualified', 'converted')))::integer AS qualified,
                   (count(*) FILTER (WHERE l.status = 'converted'))::integer AS converted,
                   (count(*) FILTER (WHERE l.status = 'disqualified'))::integer AS disqualified,
                   (count(d.id) FILTER (WHERE d.stage_kind = 'won'))::integer AS won,
                   \(fragment: CRMAccess.amount("coalesce(sum(d.base_minor) FILTER (WHERE d.stage_kind = 'won'), 0)::bigint", principal))
                       AS won_minor,
                   round(100.0 * count(*) FILTER (WHERE l.status = 'converted') / count(*), 1)::float8 AS conversion_percent
              FROM leads l
              LEFT JOIN lead_sources s ON s.company_id = l.company_id AND s.id = l.source_id
              LEFT JOIN deals d ON d.company_id = l.company_id AND d.lead_id = l.id AND d.deleted_at IS NULL
             WHERE l.company_id = \(call.company) AND \(fragment: CRMAccess.visible(principal, "l"))
               AND l.created_at >= coalesce(\(span.since)::timestamptz, '-infinity')
               AND l.created_at < coalesce(\(span.until)::timestamptz, 'infinity')
             GROUP BY l.source_id, s.name, s.channel ORDER BY count(*) DESC, s.name
            """)
        return Page(all: rows)
    }

    /// One more way. Its channel is told, else the source's, else what the utm medium means.
    static func sql(
        contact: UUID, lead: UUID?, source: UUID?, channel: String?, utm: JSON, page: String?,
        referrer: String?,
        _ company: UUID
    ) -> SQL {
        let guess =
            switch utm["medium"]?.stringValue?.lowercased() {
            case "cpc", "ppc", "paid", "display": "paid"
            case "email", "newsletter": "email"
            case "social": "social"
            case "referral": "referral"
            case "affiliate", "partner": "partner"
            default: "other"
            }
        return """
            INSERT INTO touches (company_id, id, contact_id, lead_id, channel, source_id, campaign, utm, page, referrer)
            VALUES (\(company), \(UUID.v7()), \(contact), \(lead),
                    coalesce(\(channel)::text, (SELECT s.channel FROM lead_sources s
                      WHERE s.company_id = \(company) AND s.id = \(source)::uuid), \(guess)),
                    \(source), \(utm["campaign"]?.stringValue), \(JSONText(utm)), \(page), \(referrer))
            """
    }
}
