import API
import Core
import Postgres
import Wire

/// One change made to many clients or contacts: all of them or none, or each for itself.
enum RecordBulk {
    @RouteList static var routes: [Route] {
        POST("/v1/contacts/bulk", "Change many contacts at once", .can(.crmWrite), change(.contact))
            .operation("changeContacts").describe(note).problems(.unknownOwner).example(
                body: body, answer: answer)
        POST("/v1/clients/bulk", "Change many clients at once", .can(.crmWrite), change(.client))
            .operation("changeClients").describe(note).problems(.unknownOwner).example(
                body: body, answer: answer)
    }

    private static let note =
        "Up to \(ContactLimits.bulkMax). `atomic` (the default) changes all of them or, when one cannot be, none; `per_item` "
        + "changes those that can be and says of each what became of it."
    private static let body: JSON = [
        "ids": [.string(ContactEvents.someId.description)], "mode": "per_item", "action": "tag",
        "tag_ids": [.string(ContactEvents.otherId.description)],
    ]
    private static let answer: JSON = [
        "changed": 1, "unchanged": 0, "failed": 0,
        "results": [["id": .string(ContactEvents.someId.description), "outcome": "changed", "code": nil]],
    ]

    enum Mode: String, Codable, CaseIterable, Sendable {
        case atomic
        case perItem = "per_item"
    }

    enum Action: String, Codable, CaseIterable, Sendable {
        case assign, lifecycle, tag, untag, archive, unarchive, delete
    }
    enum Outcome: String, Codable, CaseIterable, Sendable { case changed, unchanged, failed }

    struct Order: Codable, Sendable, FieldNotes {
        let ids: UpTo<500, UUID>
        let mode: Mode?
        let action: Action
        let ownerId: UUID?
        let lifecycle: Text<20>?
        let tagIds: UpTo<30, UUID>?

        static let fieldNotes = [
            "owner_id": "Of `assign`; nobody when absent.", "lifecycle": "Of `lifecycle`.",
            "tag_ids": "Of `tag` and `untag`.",
        ]
    }

    struct Item: Codable, Sendable {
        let id: UUID
        let outcome: Outcome
        let code: String?
    }

    struct Answer: Codable, Sendable {
        let changed: Int
        let unchanged: Int
        let failed: Int
        let results: [Item]
    }

    private static func change(_ kind: CRMRecord)
        -> @Sendable (Call, Body<Order>) async throws -> Single<Answer>
    {
        { call, body in
            let order = body.value
            let ids = order.ids.items.reduce(into: [UUID]()) { if !$0.contains($1) { $0.append($1) } }
            if ids.isEmpty { throw Problem.unprocessable("/ids", "required", "names no record") }
            try check(order, kind)
            let changed = try await call.db.transaction { tx in try await run(order, ids, kind, call, tx) }
            let items = ids.map { id in
                switch changed[id] {
                case true?: Item(id: id, outcome: .changed, code: nil)
                case false?: Item(id: id, outcome: .unchanged, code: nil)
                case nil: Item(id: id, outcome: .failed, code: ProblemCode.notFound.name)
                }
            }
            let counts = Dictionary(grouping: items, by: \.outcome).mapValues(\.count)
            return Single(
                Answer(
                    changed: counts[.changed] ?? 0, unchanged: counts[.unchanged] ?? 0,
                    failed: counts[.failed] ?? 0,
                    results: items))
        }
    }

    private static func check(_ order: Order, _ kind: CRMRecord) throws(Problem) {
        switch order.action {
        case .tag, .untag:
            if (order.tagIds?.items ?? []).isEmpty {
                throw .unprocessable("/tag_ids", "required", "names no tag")
            }
        case .lifecycle:
            let text = order.lifecycle?.text ?? ""
            let isKnown =
                kind == .contact
                ? ContactLifecycle(rawValue: text) != nil : ClientLifecycle(rawValue: text) != nil
            if !isKnown {
                throw .unprocessable("/lifecycle", "not-one-of", "is no lifecycle of a \(kind.rawValue)")
            }
        case .assign, .archive, .unarchive, .delete: break
        }
    }

    /// Whether each record that the caller sees was changed; those he does not see are missing.
    @inline(never)
    private static func run(
        _ order: Order, _ ids: [UUID], _ kind: CRMRecord, _ call: Call, _ tx: Transaction
    ) async throws -> [UUID: Bool] {
        let company = try call.company
        let rows = try await tx.query(
            """
            SELECT r.id FROM \(unescaped: kind.table) r
             WHERE r.company_id = \(company) AND r.id = ANY(\(ids)::uuid[]) AND \(fragment: try CRMAccess.visible(call, "r"))
             ORDER BY r.id FOR UPDATE
            """)
        let there = try rows.map { try $0.get("id", as: UUID.self) }
        if there.count < ids.count, order.mode ?? .atomic == .atomic {
            let missing = ids.first { !there.contains($0) }
            throw Problem.notFound.with("id", missing.map { .string($0.description) } ?? .null)
        }
        let changed = try await apply(order, to: there, kind, call, tx)
        return Dictionary(uniqueKeysWithValues: there.map { ($0, changed.contains($0)) })
    }

    @inline(never)
    private static func apply(
        _ order: Order, to ids: [UUID], _ kind: CRMRecord, _ call: Call, _ tx: Transaction
    ) async throws -> Set<UUID> {
        let company = try call.company
        switch order.action {
        case .archive: return try await RecordLife.take(.archive, kind, ids, by: call.actor, company, tx)
        case .unarchive: return try await RecordLife.take(.unarchive, kind, ids, by: call.actor, company, tx)
        case .delete: return try await RecordLife.take(.delete, kind, ids, by: call.actor, company, tx)
        case .assign:
            try await RecordLife.requireOwner(order.ownerId, company, tx)
            return try await set("owner_id", "\(order.ownerId)::uuid", on: ids, kind, call, tx)
        case .lifecycle:
            return try await set("lifecycle", "\(order.lifecycle?.text)::text", on: ids, kind, call, tx)
        case .tag, .untag:
            let tags = order.tagIds?.items ?? []
            try await Tags.mustExist(tags, at: "/tag_ids", company: company, in: tx)
            let tagging = RecordLife.tagging(kind)
            let change =
                order.action == .tag
                ? tagging.add(tags, to: ids, company: company)
                : tagging.remove(tags, from: ids, company: company)
            let rows = try await tx.query(change + " RETURNING \(unescaped: tagging.column) AS id")
            return try await note(
                Set(try rows.map { try $0.get("id", as: UUID.self) }), "tag_ids", kind, call, tx)
        }
    }

    @inline(never)
    private static func set(
        _ column: String, _ value: SQL, on ids: [UUID], _ kind: CRMRecord, _ call: Call, _ tx: Transaction
    ) async throws -> Set<UUID> {
        let rows = try await tx.query(
            """
            UPDATE \(unescaped: kind.table) SET \(unescaped: column) = \(fragment: value), version = version + 1, updated_at = now()
             WHERE company_id = \(try call.company) AND id = ANY(\(ids)::uuid[])
               AND \(unescaped: column) IS DISTINCT FROM \(fragment: value)
            RETURNING id
            """)
        return try await note(Set(try rows.map { try $0.get("id", as: UUID.self) }), column, kind, call, tx)
    }

    @inline(never)
    private static func note(
        _ ids: Set<UUID>, _ field: String, _ kind: CRMRecord, _ call: Call, _ tx: Transaction
    ) async throws -> Set<UUID> {
        if ids.isEmpty { return ids }
        let company = try call.company
        _ = try await tx.batch(
            ids.map {
                Audit.sql(
                    Audit.Entry(
                        "\(kind.rawValue).changed", on: kind.rawValue, $0, after: ["changed": .string(field)]),
                    by: call.actor, company: company)
            })
        try await RecordLife.tell(kind, Array(ids), changed: [field], by: call.actor, company, tx)
        return ids
    }
}
