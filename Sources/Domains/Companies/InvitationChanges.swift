import API
import Core
import Postgres
import Wire

/// What an invitation says can be changed while nobody has answered it; its link stays good.
enum InvitationChanges {
    @RouteList static var routes: [Route] {
        PATCH("/v1/invitations/{id}", "Change an invitation", .can(.invitationsWrite), change)
            .describe(
                "Roles and teams are replaced. Whoever changes it answers for it from then on: all its roles must be within "
                    + "what he may give. No mail is sent."
            )
            .problems(.invitationNotPending, .grantExceedsOwnRights)
            .example(body: ["expires_in_days": 14])
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<InvitationChange>) async throws
        -> Single<
            Invitation
        >
    {
        try await call.underCompanyLock { tx, _ in
            let ceiling = try await Granting.ceiling(of: call, in: tx)
            try await apply(body.value, to: id.value, within: ceiling, call, in: tx)
        }
        return try await Invitations.read(call, id)
    }

    private static func apply(
        _ change: InvitationChange, to id: UUID, within ceiling: PermissionSet, _ call: Call,
        in tx: Transaction
    ) async throws {
        let (company, user) = (try call.company, try call.user)
        let present = try await present(id, company, call, in: tx)
        let wanted = change.roleIds?.items
        let roles = try await Granting.roles(wanted ?? present, of: company, pointer: "/role_ids", in: tx)
        guard !roles.isEmpty else {
            throw Problem.unprocessable("/role_ids", "required", "at least one role is needed")
        }
        try Granting.check(roles, within: ceiling)
        let teams = change.teamIds?.items
        try await Inviting.mustKnow(teams: teams ?? [], company, "/team_ids", in: tx)
        let expires = change.expiresInDays.map { Timestamp.now + .seconds(86_400 * $0.value) }
        var statements: [SQL] = [
            """
            UPDATE invitations
               SET invited_by = \(user), expires_at = coalesce(\(expires)::timestamptz, expires_at),
                   version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = \(id)
            """,
            Audit.sql(
                Audit.Entry("invitation.changed", on: "invitation", id, after: try JSON(encoding: change)),
                by: call.actor, company: company),
        ]
        if wanted != nil { statements += Self.roles(roles.map(\.id), of: id, company) }
        if let teams { statements += Self.teams(teams, of: id, company) }
        _ = try await tx.batch(statements)
    }

    /// The roles it gives at present, if it can still be changed.
    @inline(never)
    private static func present(_ id: UUID, _ company: UUID, _ call: Call, in tx: Transaction) async throws
        -> [UUID]
    {
        let rows = try await tx.query(
            """
            SELECT i.state, i.version,
                   ARRAY(SELECT ir.role_id FROM invitation_roles ir
                          WHERE ir.company_id = i.company_id AND ir.invitation_id = i.id) AS role_ids
              FROM invitations i WHERE i.company_id = \(company) AND i.id = \(id)
            """)
        guard let row = rows.first else { throw Problem.notFound }
        try call.requireVersion(row.get("version"))
        let state: InvitationState = try row.get("state")
        guard state == .pending else {
            throw Problem(.invitationNotPending, "This invitation is \(state.rawValue).")
        }
        return try row.get("role_ids")
    }

    private static func roles(_ ids: [UUID], of invitation: UUID, _ company: UUID) -> [SQL] {
        [
            "DELETE FROM invitation_roles WHERE company_id = \(company) AND invitation_id = \(invitation)",
            """
            INSERT INTO invitation_roles (company_id, invitation_id, role_id)
            SELECT \(company)::uuid, \(invitation)::uuid, role_id FROM unnest(\(ids)::uuid[]) AS given (role_id)
            """,
        ]
    }

    private static func teams(_ ids: [UUID], of invitation: UUID, _ company: UUID) -> [SQL] {
        [
            "DELETE FROM invitation_teams WHERE company_id = \(company) AND invitation_id = \(invitation)",
            """
            INSERT INTO invitation_teams (company_id, invitation_id, team_id)
            SELECT DISTINCT \(company)::uuid, \(invitation)::uuid, team_id FROM unnest(\(ids)::uuid[]) AS given (team_id)
            """,
        ]
    }
}
