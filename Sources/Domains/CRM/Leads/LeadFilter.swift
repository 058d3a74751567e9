import API
import Core
import Postgres
import Wire

/// Which leads are wanted; values of one property are alternatives, properties go together.
struct LeadFilter: ListFilter {
    let status: [LeadStatus]?
    let owner: [LeadOwnerChoice]?
    let sourceId: [UUID]?
    let contactId: UUID?
    let clientId: UUID?
    let country: [CountryCode]?
    let score: Bounds<Int>?
    let valueMinor: Bounds<Int64>?
    let slaBreached: Bool?
    let archived: LeadArchivedChoice?
    let createdAt: Bounds<Timestamp>?
    let updatedAt: Bounds<Timestamp>?
    let tag: [UUID]?
    let custom: CustomFilter?
    let q: Text<200>?

    static let sorts = ["-created_at", "score", "sla_due", "updated_at"]
    static let ownFields: Set<String> = [
        "status", "owner", "source_id", "contact_id", "client_id", "country", "score", "value_minor",
        "sla_breached",
        "archived", "created_at", "updated_at", "tag", "custom", "q",
    ]

    /// What is asked of a lead `l`; each begins with AND.
    func conditions(_ principal: Principal, _ fields: CustomFields) async throws -> SQL {
        let company = principal.companyId ?? .zero
        var all: [SQL] = []
        if let status {
            // One status is compared as such, so that its order can be read from the index.
            all.append(
                status.count == 1
                    ? "l.status = \(status[0])" : "l.status = ANY(\(status.map(\.rawValue))::text[])")
        }
        if let owner { all.append(Self.owned(by: owner, me: principal.memberId)) }
        if let sourceId { all.append("l.source_id = ANY(\(sourceId)::uuid[])") }
        if let contactId { all.append("l.contact_id = \(contactId)") }
        if let clientId { all.append("l.client_id = \(clientId)") }
        if let country { all.append("l.country = ANY(\(country.map(\.text))::text[])") }
        if let score { all += Self.within(score, "l.score") }
        if let valueMinor {
            // Asking for more than a sum tells the sum.
            if !principal.permissions.contains(.crmAmounts) { throw Problem.forbidden(.crmAmounts) }
            all += Self.within(valueMinor, "l.value_minor")
        }
        if let slaBreached {
            all.append(slaBreached ? "l.sla_breached_at IS NOT NULL" : "l.sla_breached_at IS NULL")
        }
        switch archived ?? .no {
        case .no: all.append("l.archived_at IS NULL")
        case .yes: all.append("l.archived_at IS NOT NULL")
        case .any: break
        }
        if let createdAt { all += Self.within(createdAt, "l.created_at") }
        if let updatedAt { all += Self.within(updatedAt, "l.updated_at") }
        if let tag { all.append(CRMDomain.leadTags.hasAny(tag, of: "l.id", company: company)) }
        if let custom {
            let condition = try await fields.condition(custom, on: "l.custom", of: "lead", company: company)
            all.append(condition)
        }
        if let q { all.append(Search.condition("lead", q.text, "l.id", company: company)) }
        return all.map { " AND \(fragment: $0)" as SQL }.joined(separator: "")
    }

    private static func owned(by choices: [LeadOwnerChoice], me: UUID?) -> SQL {
        let members = choices.compactMap { $0.text == "me" ? me : UUID($0.text) }
        var terms: [SQL] = []
        if members.count == 1 { terms.append("l.owner_id = \(members[0])") }
        if members.count > 1 { terms.append("l.owner_id = ANY(\(members)::uuid[])") }
        if choices.contains(where: { $0.text == "none" }) { terms.append("l.owner_id IS NULL") }
        return terms.isEmpty ? "FALSE" : "(\(fragment: terms.joined(separator: " OR ")))"
    }

    private static func within(_ bounds: Bounds<some SQLBindable & Codable>, _ column: String) -> [SQL] {
        [(">=", bounds.gte), (">", bounds.gt), ("<=", bounds.lte), ("<", bounds.lt)].compactMap {
            sign, value in
            value.map { "\(unescaped: "\(column) \(sign) ")\($0)" }
        }
    }
}

extension LeadFilter: FieldNotes {
    static var fieldNotes: [String: String] {
        [
            "owner": "Members by id, `me`, or `none` for leads that nobody has.",
            "value_minor": "Takes crm:amounts.",
            "q": "Words of title, company, person and message: whole, by their beginning, or with a slip.",
        ]
    }
}

enum LeadArchivedChoice: String, Codable, CaseIterable, Sendable { case no, yes, any }

/// `me`, `none`, or the id of a member.
struct LeadOwnerChoice: TextValue {
    let text: String
    init(unchecked text: String) { self.text = text }

    static var rule: TextRule {
        TextRule(length: 2...36, pattern: "^(me|none|[0-9a-fA-F-]{36})$") { text in
            text == "me" || text == "none" || UUID(text) != nil
                ? nil : "must be me, none or the id of a member"
        }
    }
    static var exampleText: String { "me" }
}

/// How leads are read, the same for one and for many.
enum LeadRows {
    /// The name of a contact `c`, when it is more than an address or number: those are not everybody's to see.
    static let nameAlone: SQL = "nullif(nullif(c.name, c.email), c.phone)"

    private static func name(_ principal: Principal) -> SQL {
        principal.permissions.contains(.crmContactData)
            ? "c.name" : "coalesce(\(fragment: nameAlone), '(hidden)')"
    }

    static func select(_ principal: Principal, where condition: SQL, also columns: SQL = "") -> SQL {
        """
        SELECT l.id, l.title, l.message, l.status, l.contact_id, \(fragment: name(principal)) AS contact_name,
               \(fragment: CRMAccess.contactData("c.email", principal)) AS contact_email,
               \(fragment: CRMAccess.contactData("c.phone", principal)) AS contact_phone,
               l.client_id, l.client_name, l.owner_id, l.source_id, s.name AS source_name, l.score,
               \(fragment: CRMAccess.amount("l.value_minor", principal)) AS value_minor, l.currency, l.country, l.utm,
               l.custom, \(fragment: CRMDomain.leadTags.ids(of: "l.id", company: principal.companyId ?? .zero)) AS tag_ids,
               l.external_id, l.rule_id, l.assigned_at, l.first_response_at, l.sla_due_at, l.sla_breached_at,
               l.archived_at IS NOT NULL AS is_archived, l.disqualified_for, l.disqualified_at, l.converted_at,
               l.version, l.created_at, l.updated_at,
               coalesce(l.sla_due_at, timestamptz '9999-12-31 00:00:00+00') AS sla_due\(fragment: columns)
          FROM leads l
          JOIN contacts c ON c.company_id = l.company_id AND c.id = l.contact_id
          LEFT JOIN lead_sources s ON s.company_id = l.company_id AND s.id = l.source_id
         WHERE l.company_id = \(principal.companyId) AND \(fragment: condition)
        """
    }

    /// The lead as this caller sees it, without what only lists sort by.
    @inline(never)
    static func one(_ id: UUID, _ call: Call, evenIfHidden: Bool = false) async throws -> Rows {
        guard let principal = call.principal else { throw Problem.unauthorized }
        let rule = evenIfHidden ? "l.deleted_at IS NULL" : CRMAccess.visible(principal, "l")
        let inner = select(principal, where: "l.id = \(id) AND \(fragment: rule)")
        return try await call.db.query("SELECT \(unescaped: columns) FROM (\(fragment: inner)) AS lead")
    }

    private static let columns = """
        id, title, message, status, contact_id, contact_name, contact_email, contact_phone, client_id, client_name, owner_id,
        source_id, source_name, score, value_minor, currency, country, utm, custom, tag_ids, external_id, rule_id,
        assigned_at, first_response_at, sla_due_at, sla_breached_at, is_archived, disqualified_for, disqualified_at,
        converted_at, version, created_at, updated_at
        """
}
