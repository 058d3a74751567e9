import API
import Core
import Postgres
import Wire

/// The people of a company.
enum Members {
    @RouteList static var routes: [Route] {
        GET("/v1/members", "List members", .can(.membersRead), list)
        GET("/v1/members/{id}", "Read a member", .can(.membersRead), read)
        PATCH("/v1/members/{id}", "Change a member's title and attributes", .can(.membersWrite), change)
            .problems(.memberOutranksYou)
        DELETE("/v1/members/{id}", "Remove a member", .can(.membersWrite), remove).operation("removeMember")
            .describe(
                "Ends access with the next request, here and in every client company. The person's own account "
                    + "stays, and so does what they made."
            )
            .problems(.lastOwner, .memberOutranksYou, .useDeparture)
        PUT("/v1/members/{id}/roles", "Give a member roles", .can(.rolesAssign), assign).operation(
            "setMemberRoles"
        )
        .describe(
            "Replaces all roles of the member. You can neither give nor take away what you do not hold."
        )
        .problems(.lastOwner, .grantExceedsOwnRights, .memberOutranksYou, .memberNotActive)
        PUT("/v1/members/{id}/suspension", "Suspend a member", .can(.membersWrite), suspend).ifMatch(.ignored)
            .operation("suspendMember")
            .describe(
                "Ends access with the next request; data, roles and teams stay. Entries to client companies end too, and "
                    + "are to be granted anew."
            )
            .problems(.lastOwner, .memberOutranksYou, .useDeparture, .memberNotActive, .agencyMember)
        DELETE("/v1/members/{id}/suspension", "Restore a suspended member", .can(.membersWrite), restore)
            .operation("restoreMember")
            .problems(.memberNotSuspended, .memberOutranksYou, .seatLimitReached)
        GET(
            "/v1/members/{id}/handover", "See what a member would leave behind", .can(.membersWrite), handover
        ).operation("previewHandover")
        POST(
            "/v1/members/{id}/handover", "Give what hangs on a member to another", .can(.membersWrite),
            handOver
        )
        .operation("handOverMember")
        .describe(
            "Moves what can be moved in one transaction, and says of the rest what becomes of it. `count` is what there "
                + "was."
        )
        .problems(.memberOutranksYou, .memberNotActive)
        POST("/v1/company/departure", "Leave the company", .member, depart).operation("leaveCompany")
            .problems(.lastOwner)
    }

    struct Filter: ListFilter {
        let status: [MemberStatus]?
        let roleId: UUID?
        let role: [Text<60>]?
        let teamId: UUID?
        let joinedAt: Bounds<Timestamp>?
        /// `key:value`; a member must have them all.
        let attribute: [Text<200>]?
        /// Who has used nothing here since that day.
        let inactiveSince: LocalDate?

        static let sorts = ["-joined_at", "name", "status"]
        static let search = ["name", "email", "title"]
        static let ownFields: Set<String> = [
            "role_id", "role", "team_id", "status", "attribute", "inactive_since",
        ]
    }

    /// Removed members are shown only when asked for.
    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Member> {
        try await call.page(list, select(call.company, list.filter))
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Member> {
        try Single(await rows(id.value, call))
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<MemberChange>) async throws -> Single<
        Member
    > {
        let company = try call.company
        try await call.underCompanyLock { tx, _ in
            let target = try await Target.of(id.value, call, in: tx)
            try call.requireVersion(target.version)
            var changes = Changes()
            changes.set("title", body.value.title)
            if let wanted = body.attributes {
                let values = try await MemberAttributes.merged(
                    target.attributes, with: wanted, company, in: tx)
                changes.set("attributes", values)
            }
            _ = try await tx.batch([
                "UPDATE memberships SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = \(id)",
                try CompanyEvents.member(
                    CompanyEvents.memberUpdated, id.value, target.userId, by: call.actor, company),
                Audit.sql(
                    Audit.Entry(
                        "member.changed", on: "member", id.value, after: try JSON(encoding: body.value)),
                    by: call.actor, company: company),
            ])
        }
        return try Single(await rows(id.value, call))
    }

    static func remove(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let company = try call.company
        try await call.underCompanyLock { tx, locked in
            let target = try await Target.of(id.value, call, in: tx)
            try target.mustNotBeSelf(call)
            if target.status == .removed { return }
            if let agency = target.viaCompanyId {
                try await ClientAccess.forget(clientMember: target.id, of: company, at: agency, in: tx)
            }
            try await Leaving.leave(
                target.id, user: target.userId, company: company, .removed, by: call.actor,
                action: "member.removed",
                in: tx)
            try await target.tell(.memberRemoved, company: locked.name, tenant: company, in: tx)
        }
        return NoContent()
    }

    static func assign(_ call: Call, _ id: Path<UUID>, _ body: Body<MemberRoles>) async throws -> Single<
        Member
    > {
        let company = try call.company
        let ids = body.roleIds.items
        guard !ids.isEmpty else {
            throw Problem.unprocessable(
                "/role_ids", "required", "a member needs a role; remove the member instead")
        }
        try await call.underCompanyLock { tx, locked in
            let target = try await Target.of(id.value, call, in: tx)
            try call.requireVersion(target.version)
            guard target.status == .active else { throw Problem(.memberNotActive) }
            let roles = try await Granting.roles(ids, of: company, pointer: "/role_ids", in: tx)
            try Granting.check(roles, within: target.ceiling)
            try await give(roles, to: target, in: company, by: call, tx)
            let names = roles.map(\.name).joined(separator: ", ")
            try await target.tell(
                .roleChanged, ["roles": names], company: locked.name, tenant: company, in: tx)
            try await Notify.record(
                CompanyNews.roleChanged, to: [target.userId], about: .init("member", target.id),
                values: ["company": .string(locked.name), "roles": .string(names)], by: call.actor,
                company: company, in: tx)
        }
        return try Single(await rows(id.value, call))
    }

    private static func give(
        _ roles: [Granting.Role], to target: Target, in company: UUID, by call: Call, _ tx: Transaction
    ) async throws {
        let ids = roles.map(\.id)
        _ = try await tx.batch([
            """
            DELETE FROM member_roles
             WHERE company_id = \(company) AND member_id = \(target.id) AND role_id <> ALL(\(ids))
            """,
            """
            INSERT INTO member_roles (company_id, member_id, role_id, granted_by)
            SELECT \(company), \(target.id), role_id, \(call.user) FROM unnest(\(ids)::uuid[]) AS given (role_id)
            ON CONFLICT DO NOTHING
            """,
            """
            UPDATE memberships SET version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = \(target.id)
            """,
            Headcount.recount(company),
            Audit.sql(
                Audit.Entry(
                    "member.roles_changed", on: "member", target.id,
                    before: ["roles": .array(target.roleKeys.map(JSON.string))],
                    after: ["roles": .array(roles.map { .string($0.key) })]),
                by: call.actor, company: company),
            try Events.sql(
                CompanyEvents.memberRolesChanged,
                .init(memberId: target.id, userId: target.userId, roles: roles.map(\.key)), on: "member",
                target.id,
                by: call.actor, company: company),
        ])
        try await AccessChange.record(user: target.userId, company: company, in: tx)
    }

    static func suspend(_ call: Call, _ id: Path<UUID>) async throws -> Single<Member> {
        let company = try call.company
        try await call.underCompanyLock { tx, locked in
            let target = try await Target.of(id.value, call, in: tx)
            try target.mustNotBeSelf(call)
            try target.mustBelongHere()
            if target.status == .suspended { return }
            guard target.status == .active else { throw Problem(.memberNotActive) }
            try await Leaving.leave(
                target.id, user: target.userId, company: company, .suspended, by: call.actor,
                action: "member.suspended", in: tx)
            try await target.tell(.memberSuspended, company: locked.name, tenant: company, in: tx)
        }
        return try Single(await rows(id.value, call))
    }

    static func restore(_ call: Call, _ id: Path<UUID>) async throws -> Single<Member> {
        let company = try call.company
        try await call.underCompanyLock { tx, locked in
            let target = try await Target.of(id.value, call, in: tx)
            guard target.status == .suspended else { throw Problem(.memberNotSuspended) }
            guard locked.hasSeat else {
                throw Problem(.seatLimitReached, "All \(locked.seatLimit) seats of this company are taken.")
            }
            _ = try await tx.batch([
                """
                UPDATE memberships SET status = 'active', suspended_at = NULL, version = version + 1, updated_at = now()
                 WHERE company_id = \(company) AND id = \(target.id)
                """,
                Headcount.recount(company),
                Audit.sql(
                    Audit.Entry("member.restored", on: "member", target.id, after: ["status": "active"]),
                    by: call.actor, company: company),
                CompanyEvents.member(
                    CompanyEvents.memberRestored, target.id, target.userId, by: call.actor, company),
            ])
            try await AccessChange.record(user: target.userId, company: company, in: tx)
        }
        return try Single(await rows(id.value, call))
    }

    static func depart(_ call: Call) async throws -> NoContent {
        let company = try call.company
        let user = try call.user
        try await call.underCompanyLock { tx, _ in
            guard let access = try await MemberAccess.load(user: user, company: company, in: tx) else {
                throw Problem.notFound
            }
            if let agency = access.viaCompanyId {
                try await ClientAccess.forget(clientMember: access.memberId, of: company, at: agency, in: tx)
            }
            try await Leaving.leave(
                access.memberId, user: user, company: company, .removed, by: call.actor,
                action: "member.left", in: tx)
        }
        return NoContent()
    }

    private static func rows(_ id: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query("\(fragment: select(call.company)) AND m.id = \(id)")
    }
}
