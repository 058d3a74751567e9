import API
import Core
import Postgres
import Wire

/// Deals as things that have comments, tags, fields of their own and saved views, that are found, exported and dated, and
/// that are handed over.
extension CRMDomain {
    static let dealSubject = Subject(
        "deal", "Deal", .crmRead, tagging: DealWriting.tags,
        fields: CustomFieldHome(table: "deals"),
        view: ViewShape(
            DealFilter.self,
            columns: [
                "name", "stage", "client", "contact", "owner", "amount", "weighted", "probability",
                "close_on", "source", "tags",
                "stage_entered_at", "closed_at", "created_at", "updated_at",
            ],
            groups: ["stage", "kind", "owner", "client", "source"]),
        search: SubjectSearch { member, text, limit in
            let company = member.companyId ?? .zero
            return """
                SELECT d.id, d.name AS title, s.name AS detail, '/deals/' || d.id AS link, found.rank, d.updated_at
                  FROM deals d
                  JOIN stages s ON s.company_id = d.company_id AND s.pipeline_id = d.pipeline_id AND s.id = d.stage_id
                  JOIN (\(fragment: Search.matching("deal", text, company: company))) AS found ON found.subject_id = d.id
                 WHERE d.company_id = \(company) AND \(fragment: CRMAccess.visible(member, "d"))
                 ORDER BY found.rank DESC, d.updated_at DESC LIMIT \(limit)
                """
        },
        see: { call, id in
            let rows = try await call.db.query(
                """
                SELECT d.name, '/deals/' || d.id AS link FROM deals d
                 WHERE d.company_id = \(call.company) AND d.id = \(id) AND \(fragment: CRMAccess.visible(call, "d"))
                """)
            guard let row = rows.first, let principal = call.principal else { return nil }
            return SubjectHead(
                title: try row.get("name"), link: try row.get("link"),
                canComment: principal.permissions.contains(.crmWrite),
                canModerate: principal.permissions.contains(.crmManage))
        },
        visible: { company, id in
            """
            EXISTS (SELECT 1 FROM deals d WHERE d.company_id = \(company) AND d.id = \(id)
                       AND \(fragment: CRMAccess.isShown(toMember: "d")))
            """
        })

    static let dealExport = ExportKind(
        "deal", "Deals", .crmRead, filter: DealFilter.self,
        columns: { member, environment in
            let custom = try await environment[CustomFields.self].fields(
                of: "deal", scope: nil, company: member.companyId ?? .zero)
            return DealExport.columns + custom.map { .init("custom.\($0.key)", $0.name) }
        },
        base: { list, member, environment in
            let custom = try await environment[CustomFields.self].fields(
                of: "deal", scope: nil, company: member.companyId ?? .zero)
            let conditions = try await list.filter.conditions(
                member, fields: environment[CustomFields.self], list.sort)
            return DealExport.base(member, custom.map(\.key), conditions)
        })

    static let dealCalendar = CalendarSource("deal", "Deals", .crmRead) { member, from, to, isMine in
        """
        SELECT d.id, d.name AS title, d.description, '/deals/' || d.id AS link, d.close_on AS starts_on, d.close_on AS ends_on,
               NULL::timestamptz AS starts_at, NULL::timestamptz AS ends_at, d.stage_kind = 'won' AS is_done, d.version,
               d.created_at, d.updated_at
          FROM deals d JOIN companies house ON house.id = d.company_id
         WHERE d.company_id = \(member.companyId) AND d.archived_at IS NULL AND d.stage_kind <> 'lost'
           AND d.close_on >= (\(from)::timestamptz AT TIME ZONE house.time_zone)::date
           AND d.close_on <= (\(to)::timestamptz AT TIME ZONE house.time_zone)::date
           AND \(fragment: CRMAccess.visible(member, "d")) AND (\(!isMine) OR d.owner_id = \(member.memberId))
        """
    }

    static let dealHandover = HandoverPart(
        "owned_deals", "Open deals go to the other; what is won or lost stays with who did it.",
        count: { who in
            """
            SELECT count(*) AS count FROM deals
             WHERE company_id = \(who.company) AND owner_id = \(who.member) AND stage_kind = 'open' AND deleted_at IS NULL
            """
        },
        move: { from, to in
            [
                """
                UPDATE deals SET owner_id = \(to.member), version = version + 1, updated_at = now()
                 WHERE company_id = \(from.company) AND owner_id = \(from.member) AND stage_kind = 'open'
                   AND deleted_at IS NULL
                """
            ]
        })
}

enum DealExport {
    static let columns: [ExportKind.Column] = [
        .init("name", "Name"), .init("description", "Description"), .init("pipeline", "Pipeline"),
        .init("stage_name", "Stage"),
        .init("kind", "Kind"), .init("client_name", "Client"), .init("contact_name", "Contact"),
        .init("owner", "Owner"),
        .init("source", "Source"), .init("amount_minor", "Amount (minor units)"),
        .init("currency", "Currency"),
        .init("base_minor", "Amount in the company's currency"), .init("weighted_minor", "Weighted"),
        .init("probability_bp", "Probability (bp)"), .init("close_on", "Close on"),
        .init("lost_reason", "Lost because of"),
        .init("lost_note", "Lost note"), .init("lost_to", "Lost to"), .init("tags", "Tags"),
        .init("stage_entered_at", "In stage since"), .init("closed_at", "Closed"),
        .init("created_at", "Created"),
        .init("updated_at", "Updated"),
    ]

    static func base(_ member: Principal, _ custom: [String], _ conditions: SQL) -> SQL {
        let own = custom.map { key -> SQL in
            // Keys are of small letters, digits and _.
            ", d.custom -> \(key)::text AS \(unescaped: "\"custom.\(key)\"")"
        }
        return """
            SELECT \(fragment: DealRows.summary(member)), \(fragment: DealRows.sorts), d.description, d.lost_note,
                   (SELECT p.name FROM pipelines p WHERE p.company_id = d.company_id AND p.id = d.pipeline_id) AS pipeline,
                   (SELECT u.name FROM memberships m JOIN users u ON u.id = m.user_id
                     WHERE m.company_id = d.company_id AND m.id = d.owner_id) AS owner,
                   (SELECT x.name FROM lead_sources x WHERE x.company_id = d.company_id AND x.id = d.source_id) AS source,
                   (SELECT r.name FROM loss_reasons r WHERE r.company_id = d.company_id AND r.id = d.lost_reason_id) AS lost_reason,
                   (SELECT c.name FROM competitors c WHERE c.company_id = d.company_id AND c.id = d.lost_to_id) AS lost_to,
                   (SELECT string_agg(tag.name, ', ' ORDER BY lower(tag.name)) FROM deal_tags tagged
                      JOIN tags tag ON tag.company_id = tagged.company_id AND tag.id = tagged.tag_id
                     WHERE tagged.company_id = d.company_id AND tagged.deal_id = d.id) AS tags
                   \(fragment: own.joined(separator: ""))
            \(fragment: DealRows.from)
             WHERE d.company_id = \(member.companyId ?? .zero) AND \(fragment: conditions)
            """
    }
}
