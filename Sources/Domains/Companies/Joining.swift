import API
import Core
import Postgres
import Wire

/// Letting a person in, whichever door was used. The caller holds the lock on the company's row.
enum Joining {
    static func admit(
        _ user: UUID, to company: UUID, _ locked: Headcount.Locked, roles: [UUID], grantedBy: UUID?,
        by actor: Audit.Actor, in tx: Transaction
    ) async throws -> UUID {
        let rows = try await tx.query(
            "SELECT id, status, via_company_id FROM memberships WHERE company_id = \(company) AND user_id = \(user)"
        )
        let before = try rows.first.map { row in
            (id: try row.get("id", as: UUID.self), status: try row.get("status", as: String.self))
        }
        switch before?.status {
        case "active": throw Problem(.alreadyAMember)
        // An invitation is no way around a suspension.
        case "suspended": throw Problem(.memberIsSuspended)
        default: break
        }
        guard locked.hasSeat else {
            throw Problem(.seatLimitReached, "All \(locked.seatLimit) seats of this company are taken.")
        }
        let member = before?.id ?? UUID.v7()
        _ = try await tx.batch([
            """
            INSERT INTO memberships (company_id, id, user_id) VALUES (\(company), \(member), \(user))
            ON CONFLICT (company_id, user_id) DO UPDATE
               SET status = 'active', via_company_id = NULL, joined_at = now(), removed_at = NULL, suspended_at = NULL,
                   version = memberships.version + 1, updated_at = now()
            """,
            "DELETE FROM member_roles WHERE company_id = \(company) AND member_id = \(member)",
            """
            INSERT INTO member_roles (company_id, member_id, role_id, granted_by)
            SELECT \(company), \(member), role_id, \(grantedBy) FROM unnest(\(roles)::uuid[]) AS given (role_id)
            """,
            Headcount.recount(company),
            CompanyEvents.member(CompanyEvents.memberJoined, member, user, by: actor, company),
        ])
        try await AccessChange.record(user: user, company: company, in: tx)
        try await CompanyNews.tellKeepers(
            CompanyNews.memberJoined, member: member, user: user, by: actor, company: company, in: tx)
        return member
    }

    static func put(_ member: UUID, into team: UUID?, of company: UUID, in tx: Transaction) async throws {
        guard let team else { return }
        _ = try await tx.query(Roster.add("SELECT \(company), \(team), \(member), FALSE", company))
    }
}
