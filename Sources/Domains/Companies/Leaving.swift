import API
import Core
import Postgres
import Wire

/// How somebody stops being in a company, for a while or for good. The caller holds the lock on the company's row.
enum Leaving {
    enum Kind: String { case suspended, removed }

    static let port = AccountDeparture { user, actor, tx in
        try await departEverywhere(user, by: actor, in: tx)
    }

    /// Ends the membership and, for an agency's member, the entry to its clients. What is left without an owner is
    /// refused by the company's row.
    static func leave(
        _ member: UUID, user: UUID, company: UUID, _ kind: Kind, by actor: Audit.Actor, action: String,
        in tx: Transaction
    ) async throws {
        try await ClientAccess.withdraw(member: member, user: user, from: company, by: actor, in: tx)
        var statements: [SQL] = []
        switch kind {
        case .suspended:
            statements.append(
                """
                UPDATE memberships SET status = 'suspended', suspended_at = now(), version = version + 1, updated_at = now()
                 WHERE company_id = \(company) AND id = \(member)
                """)
        case .removed:
            statements += removal(of: member, from: company)
        }
        statements += [
            cancelTransfers(of: member, company: company),
            Headcount.recount(company),
            Audit.sql(
                Audit.Entry(action, on: "member", member, after: ["status": .string(kind.rawValue)]),
                by: actor, company: company),
            try CompanyEvents.member(
                kind == .removed ? CompanyEvents.memberRemoved : CompanyEvents.memberSuspended, member, user,
                by: actor,
                company),
        ]
        _ = try await tx.batch(statements)
        try await AccessChange.record(user: user, company: company, in: tx)
        try await CompanyNews.tellKeepers(
            CompanyNews.ofLeaving(kind, isOwnWish: actor.person == user), member: member, user: user,
            by: actor,
            company: company, in: tx)
    }

    /// Ends a membership for good: what the member held and was in goes with it. With `agency`, only one that stands by its
    /// grant.
    static func removal(of member: UUID, from company: UUID, via agency: UUID? = nil) -> [SQL] {
        [
            """
            UPDATE memberships SET status = 'removed', removed_at = now(), version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = \(member)
               AND (\(agency)::uuid IS NULL OR via_company_id = \(agency)::uuid)
            """,
            Roster.remove(member, company),
            "DELETE FROM object_grants WHERE company_id = \(company) AND member_id = \(member)",
            "DELETE FROM member_roles WHERE company_id = \(company) AND member_id = \(member)",
        ]
    }

    private static func cancelTransfers(of member: UUID, company: UUID) -> SQL {
        """
        UPDATE ownership_transfers SET state = 'cancelled', decided_at = now()
         WHERE company_id = \(company) AND state = 'pending' AND (from_member_id = \(member) OR to_member_id = \(member))
        """
    }

    private static func departEverywhere(_ user: UUID, by actor: Audit.Actor, in tx: Transaction) async throws
    {
        let before = try await tx.query("SELECT current_setting('app.company_id', true) AS company")
        let memberships = try await tx.query(
            """
            SELECT m.company_id, m.id FROM memberships m
             WHERE m.user_id = \(user) AND m.status <> 'removed' ORDER BY m.company_id
            """)
        var ownerless: [String] = []
        for row in memberships {
            let company: UUID = try row.get("company_id")
            let member: UUID = try row.get("id")
            try await tx.become(company)
            guard let locked = try await Headcount.lock(company, in: tx), locked.status != "deleted" else {
                continue
            }
            // A company that is being deleted goes without its owner.
            if locked.status != "deleting", try await isLastOwner(user, of: company, in: tx) {
                ownerless.append(locked.name)
                continue
            }
            // Leaving an agency has ended the entries to its clients already.
            let there = try await tx.query(
                "SELECT 1 FROM memberships WHERE company_id = \(company) AND id = \(member) AND status <> 'removed'"
            )
            if there.isEmpty { continue }
            try await leave(
                member, user: user, company: company, .removed, by: actor, action: "member.left", in: tx)
        }
        _ = try await tx.query(
            "SELECT set_config('app.company_id', \(before[0].get("company", as: String?.self) ?? ""), true)")
        guard ownerless.isEmpty else {
            throw Problem(
                .lastOwner,
                "You are the last owner of \(ownerless.joined(separator: ", ")): hand over or delete first.")
        }
    }

    static func isLastOwner(_ user: UUID, of company: UUID, in tx: Transaction) async throws -> Bool {
        let rows = try await tx.query(
            """
            SELECT bool_or(m.user_id = \(user)) AND count(*) = 1 AS is_last
              FROM memberships m
              JOIN member_roles mr ON mr.company_id = m.company_id AND mr.member_id = m.id
              JOIN roles r ON r.company_id = mr.company_id AND r.id = mr.role_id AND r.key = 'owner'
             WHERE m.company_id = \(company) AND m.status = 'active'
            """)
        return try rows.first?.get("is_last", as: Bool?.self) ?? false
    }
}
