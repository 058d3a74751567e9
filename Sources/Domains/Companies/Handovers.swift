import API
import Core
import Postgres
import Wire

extension Members {
    struct HandoverRequest: Codable, Sendable {
        let toMemberId: UUID
    }

    /// What hangs on a member: the preview before he goes.
    static func handover(_ call: Call, _ id: Path<UUID>) async throws -> Single<Handover> {
        let company = try call.company
        let parts = call.environment[HandoverParts.self].all
        let answer = try await call.db.transaction { tx in
            guard let leaver = try await holder(id.value, of: company, in: tx) else { throw Problem.notFound }
            let counts = try await tx.batch(parts.map { $0.count(leaver.who) })
            let isLastOwner = try await Leaving.isLastOwner(leaver.who.user, of: company, in: tx)
            return try Handover(
                memberId: id.value, isLastOwner: isLastOwner, items: items(parts, counts) { $0.move != nil })
        }
        return Single(answer)
    }

    /// Gives what can be given to another member, in one transaction, and says what could not.
    static func handOver(_ call: Call, _ id: Path<UUID>, _ body: Body<HandoverRequest>) async throws
        -> Single<Handover>
    {
        let company = try call.company
        let parts = call.environment[HandoverParts.self].all
        guard body.toMemberId != id.value else {
            throw Problem.unprocessable("/to_member_id", "invalid", "must be another member")
        }
        let answer = try await call.underCompanyLock { tx, _ in
            let leaver = try await Target.of(id.value, call, in: tx)
            let from = HandoverPart.Holder(company: company, member: id.value, user: leaver.userId)
            guard let to = try await holder(body.toMemberId, of: company, in: tx) else {
                throw Problem.unprocessable("/to_member_id", "unknown-member", "is no member of this company")
            }
            guard to.isActive else { throw Problem(.memberNotActive) }
            let counts = try await tx.batch(parts.map { $0.count(from) })
            let moves = parts.flatMap { $0.move?(from, to.who) ?? [] }
            let items = try items(parts, counts) { $0.move != nil }
            let moved = items.filter { $0.canMove && $0.count > 0 }
            _ = try await tx.batch(
                moves + [
                    Audit.sql(
                        Audit.Entry(
                            "member.handed_over", on: "member", id.value,
                            after: [
                                "to_member_id": .string(body.toMemberId.description),
                                "moved": .array(moved.map { .string("\($0.count) \($0.kind)") }),
                            ]),
                        by: call.actor, company: company)
                ])
            let isLastOwner = try await Leaving.isLastOwner(from.user, of: company, in: tx)
            return Handover(memberId: id.value, isLastOwner: isLastOwner, items: items)
        }
        return Single(answer)
    }

    private static func items(_ parts: [HandoverPart], _ counts: [Rows], canMove: (HandoverPart) -> Bool)
        throws
        -> [Handover.Item]
    {
        try zip(parts, counts).map { part, rows in
            Handover.Item(
                kind: part.kind, count: try rows[0].get("count"), canMove: canMove(part), note: part.note)
        }
    }

    private static func holder(_ id: UUID, of company: UUID, in tx: Transaction) async throws
        -> (who: HandoverPart.Holder, isActive: Bool)?
    {
        let rows = try await tx.query(
            """
            SELECT m.user_id, m.status = 'active' AS is_active
              FROM memberships m JOIN users u ON u.id = m.user_id AND u.kind = 'person'
             WHERE m.company_id = \(company) AND m.id = \(id)
            """)
        guard let row = rows.first else { return nil }
        return (
            HandoverPart.Holder(company: company, member: id, user: try row.get("user_id")),
            try row.get("is_active")
        )
    }
}
