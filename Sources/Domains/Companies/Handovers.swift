import API
import Core
import Postgres
import Wire

extension Members {
    /// What hangs on a member: the preview before he goes.
    static func handover(_ call: Call, _ id: Path<UUID>) async throws -> Single<Handover> {
        let company = try call.company
        let rows = try await call.db.query(
            """
            SELECT m.user_id,
                   (SELECT count(*) FROM invitations i
                     WHERE i.company_id = m.company_id AND i.invited_by = m.user_id AND i.state = 'pending') AS invitations,
                   (SELECT count(*) FROM join_links l
                     WHERE l.company_id = m.company_id AND l.created_by = m.user_id AND l.revoked_at IS NULL
                       AND l.expires_at > now()) AS join_links,
                   (SELECT count(*) FROM team_members t
                     WHERE t.company_id = m.company_id AND t.member_id = m.id AND t.is_lead) AS led_teams,
                   (SELECT count(*) FROM client_access a
                     WHERE a.company_id = m.company_id AND a.member_id = m.id) AS clients,
                   (SELECT count(*) FROM ownership_transfers o
                     WHERE o.company_id = m.company_id AND o.state = 'pending'
                       AND (o.from_member_id = m.id OR o.to_member_id = m.id)) AS transfers
              FROM memberships m
             WHERE m.company_id = \(company) AND m.id = \(id)
            """)
        guard let row = rows.first else { throw Problem.notFound }
        let user: UUID = try row.get("user_id")
        let isLastOwner = try await call.db.transaction {
            try await Leaving.isLastOwner(user, of: company, in: $0)
        }
        let items = [
            try item(
                "invitations", row, canMove: true, "Whoever sends them again answers for them from then on."),
            try item(
                "join_links", row, canMove: false,
                "They stop working: their maker no longer holds what they give."),
            try item("led_teams", row, canMove: true, "Make another member their lead."),
            try item("clients", row, canMove: false, "Entries to client companies end with the membership."),
            try item(
                "transfers", row, canMove: false, "A handing over of the company under way is called off."),
        ]
        return Single(Handover(memberId: id.value, isLastOwner: isLastOwner, items: items))
    }

    private static func item(_ kind: String, _ row: Row, canMove: Bool, _ note: String) throws
        -> Handover.Item
    {
        Handover.Item(kind: kind, count: try row.get(kind), canMove: canMove, note: note)
    }
}
