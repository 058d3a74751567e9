import API
import Core
import Postgres
import Wire

/// `me`, `none`, or the id of a member.
struct RecordOwner: TextValue {
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

enum RecordArchived: String, Codable, CaseIterable, Sendable { case no, yes, any }

/// What lists of clients and contacts have in common.
enum RecordFilters {
    static func owned(by choices: [RecordOwner], _ column: String, me: UUID?) -> SQL {
        let members = choices.compactMap { $0.text == "me" ? me : UUID($0.text) }
        var terms: [SQL] = []
        // One member is compared as such, so that the order can be read from the index.
        if members.count == 1 { terms.append("\(unescaped: column) = \(members[0])") }
        if members.count > 1 { terms.append("\(unescaped: column) = ANY(\(members)::uuid[])") }
        if choices.contains(where: { $0.text == "none" }) { terms.append("\(unescaped: column) IS NULL") }
        return terms.isEmpty ? "FALSE" : "(\(fragment: terms.joined(separator: " OR ")))"
    }

    static func archived(_ choice: RecordArchived?, _ alias: String) -> SQL? {
        switch choice ?? .no {
        case .no: "\(unescaped: alias).archived_at IS NULL"
        case .yes: "\(unescaped: alias).archived_at IS NOT NULL"
        case .any: nil
        }
    }

    static func within(_ bounds: Bounds<Timestamp>?, _ column: String) -> [SQL] {
        guard let bounds else { return [] }
        return [(">=", bounds.gte), (">", bounds.gt), ("<=", bounds.lte), ("<", bounds.lt)].compactMap {
            sign, value in
            value.map { "\(unescaped: "\(column) \(sign) ")\($0)" }
        }
    }

    static func joined(_ all: [SQL]) -> SQL {
        all.map { " AND \(fragment: $0)" as SQL }.joined(separator: "")
    }
}

/// Which contacts are wanted; values of one property are alternatives, properties go together.
struct ContactFilter: ListFilter, FieldNotes {
    let owner: [RecordOwner]?
    let lifecycle: [ContactLifecycle]?
    let clientId: [UUID]?
    let email: Email?
    let phone: Text<40>?
    let archived: RecordArchived?
    let createdAt: Bounds<Timestamp>?
    let updatedAt: Bounds<Timestamp>?
    let tag: [UUID]?
    let custom: CustomFilter?
    let q: Text<200>?

    static let sorts = ["-created_at", "name", "updated_at"]
    static let ownFields: Set<String> = [
        "owner", "lifecycle", "client_id", "email", "phone", "archived", "created_at", "updated_at", "tag",
        "custom", "q",
    ]
    static let fieldNotes = [
        "owner": "Members by id, `me`, or `none` for what nobody owns.",
        "client_id": "Those who are at any of these clients.",
        "email": "Whoever is known by this address; takes crm:contact-data, as `phone` does.",
        "q": "Words of name, job title, addresses and numbers: by their beginning, and with a slip.",
    ]

    /// What is asked of a contact `c`; each begins with AND.
    @inline(never)
    func conditions(_ principal: Principal, _ fields: CustomFields) async throws -> SQL {
        let company = principal.companyId ?? .zero
        var all: [SQL] = []
        if let owner { all.append(RecordFilters.owned(by: owner, "c.owner_id", me: principal.memberId)) }
        if let lifecycle { all.append("c.lifecycle = ANY(\(lifecycle.map(\.rawValue))::text[])") }
        if let clientId {
            all.append(
                """
                c.id IN (SELECT l.contact_id FROM contact_clients l
                          WHERE l.company_id = \(company) AND l.client_id = ANY(\(clientId)::uuid[]))
                """)
        }
        let known = [(IdentityKind.email, email?.text), (.phone, phone?.text)].compactMap { kind, text in
            text.map { (kind, $0) }
        }
        if !known.isEmpty, !principal.permissions.contains(.crmContactData) {
            throw Problem.forbidden(.crmContactData)
        }
        for (kind, text) in known {
            all.append(
                """
                c.id IN (SELECT i.contact_id FROM contact_identities i
                          WHERE i.company_id = \(company) AND i.kind = \(kind) AND i.value_norm = \(kind.normal(text) ?? ""))
                """)
        }
        if let archived = RecordFilters.archived(archived, "c") { all.append(archived) }
        all +=
            RecordFilters.within(createdAt, "c.created_at") + RecordFilters.within(updatedAt, "c.updated_at")
        if let tag { all.append(CRMDomain.contactTags.hasAny(tag, of: "c.id", company: company)) }
        if let custom {
            let condition = try await fields.condition(
                custom, on: "c.custom", of: "contact", company: company)
            all.append(condition)
        }
        if let q {
            all.append(Search.condition(ContactSearch.kind(for: principal), q.text, "c.id", company: company))
        }
        return RecordFilters.joined(all)
    }
}

/// Which clients are wanted.
struct ClientFilter: ListFilter, FieldNotes {
    let owner: [RecordOwner]?
    let lifecycle: [ClientLifecycle]?
    let domain: Text<253>?
    let industry: [String]?
    let archived: RecordArchived?
    let createdAt: Bounds<Timestamp>?
    let updatedAt: Bounds<Timestamp>?
    let tag: [UUID]?
    let custom: CustomFilter?
    let q: Text<200>?

    static let sorts = ["-created_at", "name", "updated_at"]
    static let ownFields: Set<String> = [
        "owner", "lifecycle", "domain", "industry", "archived", "created_at", "updated_at", "tag", "custom",
        "q",
    ]
    static let fieldNotes = [
        "owner": "Members by id, `me`, or `none` for what nobody owns.",
        "domain": "The host of its website, without `www.`.",
        "q": "Words of name, host and industry: by their beginning, and with a slip.",
    ]

    /// What is asked of a client `c`; each begins with AND.
    @inline(never)
    func conditions(_ principal: Principal, _ fields: CustomFields) async throws -> SQL {
        let company = principal.companyId ?? .zero
        var all: [SQL] = []
        if let owner { all.append(RecordFilters.owned(by: owner, "c.owner_id", me: principal.memberId)) }
        if let lifecycle { all.append("c.lifecycle = ANY(\(lifecycle.map(\.rawValue))::text[])") }
        if let domain { all.append("c.domain_norm = \(ClientDomain(website: domain.text)?.text ?? "")") }
        if let industry { all.append("c.industry = ANY(\(industry)::text[])") }
        if let archived = RecordFilters.archived(archived, "c") { all.append(archived) }
        all +=
            RecordFilters.within(createdAt, "c.created_at") + RecordFilters.within(updatedAt, "c.updated_at")
        if let tag { all.append(CRMDomain.clientTags.hasAny(tag, of: "c.id", company: company)) }
        if let custom {
            let condition = try await fields.condition(custom, on: "c.custom", of: "client", company: company)
            all.append(condition)
        }
        if let q { all.append(Search.condition(ContactSearch.client, q.text, "c.id", company: company)) }
        return RecordFilters.joined(all)
    }
}
