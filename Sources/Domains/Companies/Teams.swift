import API
import Core
import Postgres
import Wire

/// Teams of a company and who is in them.
enum Teams {
    @RouteList static var routes: [Route] {
        GET("/v1/teams", "List teams", .can(.teamsRead), list)
        POST("/v1/teams", "Create a team", .can(.teamsWrite), create)
            .problems(.teamNameTaken, .tooManyTeams)
        GET("/v1/teams/{id}", "Read a team", .can(.teamsRead), read)
        PATCH("/v1/teams/{id}", "Change a team", .member, change).problems(.teamNameTaken)
            .describe("Takes teams:write, in the company or on this team.")
        DELETE("/v1/teams/{id}", "Delete a team", .can(.teamsWrite), delete)
            .describe("Its members stay in the company.").problems(.teamInUse)
        GET("/v1/teams/{id}/members", "List a team's members", .can(.teamsRead), members)
        POST("/v1/teams/{id}/members", "Put a member into a team", .member, add).operation("addTeamMember")
            .describe(
                "Takes teams:write, in the company or on this team. Adding somebody who is in it already changes nothing "
                    + "but `is_lead`."
            )
            .problems(.memberNotActive)
        PATCH(
            "/v1/teams/{id}/members/{member_id}", "Change a member's place in a team", .member,
            changeMember)
        DELETE(
            "/v1/teams/{id}/members/{member_id}", "Take a member out of a team", .member,
            removeMember
        ).operation("removeTeamMember")
    }

    struct Filter: ListFilter {
        let memberId: UUID?

        static let sorts = ["name", "-created_at"]
        static let search = ["name", "description"]
        static let ownFields: Set<String> = ["member_id"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Team> {
        var sql = try select(call.company)
        if let member = list.filter.memberId {
            sql += """
                 AND EXISTS (SELECT 1 FROM team_members x
                              WHERE x.company_id = t.company_id AND x.team_id = t.id AND x.member_id = \(member))
                """
        }
        return try await call.page(list, sql)
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Team> {
        try Single(await rows(id.value, call))
    }

    static func create(_ call: Call, _ body: Body<NewTeam>) async throws -> Created<Team> {
        let company = try call.company
        let id = UUID.v7()
        let limit = RowLimit(
            CompanyLimits.teamsMax, "SELECT count(*) FROM teams WHERE company_id = \(company)",
            else: .tooManyTeams)
        let record = Audit.sql(
            Audit.Entry("team.created", on: "team", id, after: ["name": .string(body.name.text)]),
            by: call.actor, company: company)
        let event = try CompanyEvents.team(
            CompanyEvents.teamCreated, id, body.name.text, by: call.actor, company)
        let rows = try await call.create(under: limit, also: [record, event]) { isBelow in
            """
            INSERT INTO teams AS t (company_id, id, name, description, color)
            SELECT \(company), \(id), \(body.name), \(body.value.description), \(body.color)
             WHERE \(fragment: isBelow)
            RETURNING \(fragment: columns)
            """
        }
        return try Created(rows)
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<TeamChange>) async throws -> Single<Team>
    {
        let company = try call.company
        try await call.require(.teamsWrite, on: .team(id.value))
        try await call.db.transaction { tx in
            let before = try await tx.query(
                "SELECT name, version FROM teams WHERE company_id = \(company) AND id = \(id) FOR UPDATE")
            guard let row = before.first else { throw Problem.notFound }
            try call.requireVersion(row.get("version"))
            var changes = Changes()
            changes.set("name", body.name)
            changes.set("description", body.value.description)
            changes.set("color", body.color)
            _ = try await tx.batch([
                "UPDATE teams SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = \(id)",
                Audit.sql(
                    Audit.Entry(
                        "team.changed", on: "team", id.value, before: ["name": .string(row.get("name"))],
                        after: JSON(encoding: body.value)),
                    by: call.actor, company: company),
                CompanyEvents.team(
                    CompanyEvents.teamUpdated, id.value, body.name?.text ?? row.get("name"), by: call.actor,
                    company),
            ])
        }
        return try Single(await rows(id.value, call))
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let company = try call.company
        try await call.db.transaction { tx in
            let rows = try await tx.query(
                "DELETE FROM teams WHERE company_id = \(company) AND id = \(id) RETURNING name")
            guard let row = rows.first else { throw Problem.notFound }
            let name: String = try row.get("name")
            _ = try await tx.batch([
                Audit.sql(
                    Audit.Entry("team.deleted", on: "team", id.value, before: ["name": .string(name)]),
                    by: call.actor, company: company),
                CompanyEvents.team(CompanyEvents.teamDeleted, id.value, name, by: call.actor, company),
                ObjectGrants.forget(.team(id.value), company: company),
            ])
        }
        return NoContent()
    }

    struct MemberFilter: ListFilter {
        let isLead: Bool?

        static let sorts = ["name", "-added_at"]
        static let search = ["name", "email"]
    }

    static func members(_ call: Call, _ id: Path<UUID>, _ list: List<MemberFilter>) async throws -> Page<
        TeamMember
    > {
        let company = try call.company
        try await mustExist(id.value, company, call)
        return try await call.page(list, "\(fragment: selectMembers(company)) AND tm.team_id = \(id)")
    }

    static func add(_ call: Call, _ id: Path<UUID>, _ body: Body<NewTeamMember>) async throws -> Created<
        TeamMember
    > {
        let company = try call.company
        try await call.require(.teamsWrite, on: .team(id.value))
        let member = body.memberId
        let isLead = body.isLead ?? false
        try await call.db.transaction { tx in
            // FOR SHARE: nobody who leaves in this moment is put into a team.
            let known = try await tx.query(
                """
                SELECT m.status FROM memberships m
                  JOIN teams t ON t.company_id = m.company_id AND t.id = \(id)
                 WHERE m.company_id = \(company) AND m.id = \(member)
                   FOR SHARE OF m
                """)
            guard let row = known.first else { throw Problem.notFound }
            guard try row.get("status", as: MemberStatus.self) == .active else {
                throw Problem(.memberNotActive)
            }
            _ = try await tx.batch([
                Roster.add("SELECT \(company), \(id), \(member), \(isLead)", company),
                """
                UPDATE team_members SET is_lead = \(isLead)
                 WHERE company_id = \(company) AND team_id = \(id) AND member_id = \(member) AND is_lead <> \(isLead)
                """,
                audit("team.member_added", id.value, member, call.actor, company),
                Events.sql(
                    CompanyEvents.teamMemberAdded, .init(teamId: id.value, memberId: member), on: "team",
                    id.value,
                    by: call.actor, company: company),
            ])
        }
        return try Created(
            await row(member, in: id.value, call), at: "/v1/teams/\(id.value)/members/\(member)")
    }

    static func changeMember(
        _ call: Call, _ id: Path<UUID>, _ member: Path<UUID>, _ body: Patch<TeamMemberChange>
    ) async throws -> Single<TeamMember> {
        let company = try call.company
        try await call.require(.teamsWrite, on: .team(id.value))
        try await call.db.transaction { tx in
            let changed = try await tx.query(
                """
                UPDATE team_members SET is_lead = coalesce(\(body.isLead), is_lead)
                 WHERE company_id = \(company) AND team_id = \(id) AND member_id = \(member) RETURNING member_id
                """)
            if changed.isEmpty { throw Problem.notFound }
            _ = try await tx.query(audit("team.member_changed", id.value, member.value, call.actor, company))
        }
        return try Single(await row(member.value, in: id.value, call))
    }

    static func removeMember(_ call: Call, _ id: Path<UUID>, _ member: Path<UUID>) async throws -> NoContent {
        let company = try call.company
        try await call.require(.teamsWrite, on: .team(id.value))
        try await call.db.transaction { tx in
            let gone = try await tx.query(Roster.remove(member.value, from: id.value, company))
            if gone.affected == 0 { throw Problem.notFound }
            _ = try await tx.batch([
                audit("team.member_removed", id.value, member.value, call.actor, company),
                Events.sql(
                    CompanyEvents.teamMemberRemoved, .init(teamId: id.value, memberId: member.value),
                    on: "team",
                    id.value, by: call.actor, company: company),
            ])
        }
        return NoContent()
    }

    private static func audit(
        _ action: String, _ team: UUID, _ member: UUID, _ actor: Audit.Actor, _ company: UUID
    ) -> SQL {
        Audit.sql(
            Audit.Entry(action, on: "team", team, after: ["member_id": .string(member.description)]),
            by: actor, company: company)
    }

    private static func mustExist(_ id: UUID, _ company: UUID, _ call: Call) async throws {
        let rows = try await call.db.query("SELECT 1 FROM teams WHERE company_id = \(company) AND id = \(id)")
        if rows.isEmpty { throw Problem.notFound }
    }

    private static func rows(_ id: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query("\(fragment: select(call.company)) AND t.id = \(id)")
    }

    private static func row(_ member: UUID, in team: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query(
            "\(fragment: selectMembers(call.company)) AND tm.team_id = \(team) AND tm.member_id = \(member)")
    }

    private static let columns: SQL = """
        t.id, t.name, t.description, t.color, t.member_count, t.version, t.created_at, t.updated_at
        """

    private static func select(_ company: UUID) -> SQL {
        "SELECT \(fragment: columns) FROM teams t WHERE t.company_id = \(company)"
    }

    private static func selectMembers(_ company: UUID) -> SQL {
        """
        SELECT tm.member_id AS id, tm.member_id, m.user_id, u.name, u.email, m.status, tm.is_lead, tm.added_at
          FROM team_members tm
          JOIN memberships m ON m.company_id = tm.company_id AND m.id = tm.member_id
          JOIN users u ON u.id = m.user_id
         WHERE tm.company_id = \(company)
        """
    }
}
