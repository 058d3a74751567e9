import API
import Core
import Postgres
import Wire

/// Which activities are wanted; values of one property are alternatives, properties go together.
struct ActivityFilter: ListFilter, FieldNotes {
    let kind: [ActivityKind]?
    let direction: [ActivityDirection]?
    let state: ActivityState?
    let owner: [ActivityOwner]?
    let clientId: UUID?
    let contactId: UUID?
    let leadId: UUID?
    let dealId: UUID?
    let isPinned: Bool?
    let at: Bounds<Timestamp>?
    let due: Bounds<Timestamp>?
    let createdAt: Bounds<Timestamp>?
    let source: [Text<60>]?
    let q: Text<200>?

    static let sorts = ["-at", "due", "created_at", "updated_at"]
    static let ownFields: Set<String> = [
        "state", "owner", "client_id", "contact_id", "lead_id", "deal_id", "is_pinned", "at", "due",
        "created_at", "q",
    ]
    static let fieldNotes = [
        "state": "`open` is planned and not done, `overdue` should have been done, `done` is over.",
        "owner": "Members by id, `me`, or `none`.",
        "q": "Words of title and text: whole, by their beginning, or with a slip.",
    ]

    enum ActivityState: String, Codable, CaseIterable, Sendable { case open, overdue, done }

    /// Each begins with AND.
    func conditions(_ principal: Principal) -> SQL {
        let company = principal.companyId ?? .zero
        var all: [SQL] = []
        switch state {
        case .open: all.append("a.completed_at IS NULL")
        case .overdue: all.append("a.completed_at IS NULL AND a.due_at < now()")
        case .done: all.append("a.completed_at IS NOT NULL")
        case nil: break
        }
        if let owner { all.append(Self.owned(by: owner, principal)) }
        for (column, id) in [
            ("client_id", clientId), ("contact_id", contactId), ("lead_id", leadId), ("deal_id", dealId),
        ] {
            guard let id else { continue }
            all.append(
                """
                a.id IN (SELECT l.activity_id FROM activity_links l
                          WHERE l.company_id = \(company) AND l.\(unescaped: column) = \(id))
                """)
        }
        if let isPinned { all.append(isPinned ? "a.pinned_at IS NOT NULL" : "a.pinned_at IS NULL") }
        for (column, bounds) in [("a.at", at), ("a.due_at", due), ("a.created_at", createdAt)] {
            guard let bounds else { continue }
            for (sign, value) in [(">=", bounds.gte), (">", bounds.gt), ("<=", bounds.lte), ("<", bounds.lt)]
            {
                if let value { all.append("\(unescaped: "\(column) \(sign) ")\(value)") }
            }
        }
        if let q { all.append(Search.condition("activity", q.text, "a.id", company: company)) }
        return all.map { " AND \(fragment: $0)" as SQL }.joined(separator: "")
    }

    private static func owned(by choices: [ActivityOwner], _ principal: Principal) -> SQL {
        let members = choices.compactMap { $0.text == "me" ? principal.memberId : UUID($0.text) }
        let isNone = choices.contains { $0.text == "none" }
        return "(a.owner_id = ANY(\(members)::uuid[])\(unescaped: isNone ? " OR a.owner_id IS NULL" : ""))"
    }
}

/// `me`, `none`, or the id of a member.
struct ActivityOwner: TextValue {
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
