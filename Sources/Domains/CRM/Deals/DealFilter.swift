import API
import Core
import Postgres
import Wire

/// Which deals are wanted; values of one property are alternatives, properties go together.
struct DealFilter: ListFilter {
    let pipelineId: [UUID]?
    let stageId: [UUID]?
    let kind: [StageKind]?
    let owner: [Owner]?
    let clientId: [UUID]?
    let contactId: [UUID]?
    let sourceId: [UUID]?
    let closeOn: Bounds<LocalDate>?
    let amount: Bounds<Cents>?
    let isStuck: Bool?
    let state: Standing?
    let createdAt: Bounds<Timestamp>?
    let updatedAt: Bounds<Timestamp>?
    let closedAt: Bounds<Timestamp>?
    let tag: [UUID]?
    let custom: CustomFilter?
    let q: Text<200>?

    static let sorts = ["-created_at", "updated_at", "name", "closing", "amount", "rank"]
    static let ownFields: Set<String> = [
        "pipeline_id", "stage_id", "kind", "owner", "client_id", "contact_id", "source_id", "is_stuck",
        "state", "tag", "custom",
        "q",
    ]

    /// Where a deal stands beside its stage.
    enum Standing: String, Codable, CaseIterable, Sendable { case active, archived, any, trash }

    /// `me`, `none`, or the id of a member.
    struct Owner: TextValue {
        let text: String
        init(unchecked text: String) { self.text = text }

        static var rule: TextRule {
            TextRule(length: 2...36, pattern: "^(me|none|[0-9a-fA-F-]{36})$") { text in
                text == "me" || text == "none" || UUID(text) != nil
                    ? nil : "must be me, none or the id of a member"
            }
        }
        static var exampleText: String { "me" }

        static func condition(_ choices: [Owner], _ column: String, me: UUID?) -> SQL {
            let members = choices.compactMap { $0.text == "me" ? me : UUID($0.text) }
            var terms: [SQL] = []
            if members.count == 1 {
                terms.append("\(unescaped: column) = \(members[0])")
            } else if !members.isEmpty {
                terms.append("\(unescaped: column) = ANY(\(members)::uuid[])")
            }
            if choices.contains(where: { $0.text == "none" }) { terms.append("\(unescaped: column) IS NULL") }
            return terms.isEmpty ? "FALSE" : "(\(fragment: terms.joined(separator: " OR ")))"
        }
    }

    /// What the columns of a list do not say by themselves; each begins with AND. Of deals `d` and their stages `s`.
    func conditions(_ principal: Principal, fields: CustomFields, _ sorts: [SortKey] = []) async throws -> SQL
    {
        let company = principal.companyId ?? .zero
        if !DealRows.hasAmounts(principal), amount != nil || sorts.contains(where: { $0.column == "amount" })
        {
            throw Problem.forbidden(.crmAmounts)
        }
        var all: [SQL] = []
        if state == .trash {
            all.append("d.deleted_at IS NOT NULL AND \(fragment: CRMAccess.isShown(to: principal, "d"))")
        } else {
            all.append(CRMAccess.visible(principal, "d"))
        }
        switch state ?? .active {
        case .active: all.append("d.archived_at IS NULL")
        case .archived: all.append("d.archived_at IS NOT NULL")
        case .any, .trash: break
        }
        for (ids, column) in [
            (pipelineId, "d.pipeline_id"), (stageId, "d.stage_id"), (clientId, "d.client_id"),
            (contactId, "d.contact_id"),
            (sourceId, "d.source_id"),
        ] {
            guard let ids else { continue }
            // One is compared as such, so that its order can be read from the index.
            all.append(
                ids.count == 1
                    ? "\(unescaped: column) = \(ids[0])" : "\(unescaped: column) = ANY(\(ids)::uuid[])")
        }
        if let kind { all.append("d.stage_kind = ANY(\(kind))") }
        if let owner { all.append(Owner.condition(owner, "d.owner_id", me: principal.memberId)) }
        if let isStuck {
            all.append(isStuck ? DealRows.isStuck : "NOT coalesce(\(fragment: DealRows.isStuck), false)")
        }
        if let tag { all.append(DealWriting.tags.hasAny(tag, of: "d.id", company: company)) }
        if let custom {
            all.append(try await fields.condition(custom, on: "d.custom", of: "deal", company: company))
        }
        if let q { all.append(Search.condition("deal", q.text, "d.id", company: company)) }
        return all.joined(separator: " AND ")
    }
}

extension DealFilter: FieldNotes {
    static var fieldNotes: [String: String] {
        [
            "owner": "Members by id, `me`, or `none` for deals that nobody owns.",
            "amount": "In the company's currency. Takes crm:amounts, as sorting by it does.",
            "is_stuck": "Longer in their stage than it allows.",
            "state": "`active` when absent; `trash` lists what can be restored.",
            "q": "Words of name and description: whole, by their beginning, or with a slip.",
        ]
    }
}
