import API
import Core
import Postgres
import Wire

/// An agency's client companies, and who of its staff may enter which. Owning the agency opens no client: each entry
/// is a grant of its own, which shows on both sides.
enum ClientCompanies {
    @RouteList static var routes: [Route] {
        GET("/v1/client-companies", "List client companies", .can(.clientsRead), list)
        POST("/v1/client-companies", "Make a client company", .can(.clientsWrite), create)
            .describe("The caller becomes its first owner, on behalf of the agency.")
            .problems(.notAnAgency, .tooManyClients, .slugTaken)
        GET(
            "/v1/client-companies/{id}/staff", "List who of the agency may enter a client",
            .can(.clientsRead), staff
        ).operation("listClientStaff")
        PUT(
            "/v1/client-companies/{id}/staff", "Let a member of the agency into a client",
            .can(.clientsWrite), grant
        ).operation("setClientStaff")
            .describe(
                "You can give only the roles whose rights you hold in that client company yourself. Given again, the "
                    + "roles are replaced."
            )
            .problems(.memberNotActive, .notAMember, .grantExceedsOwnRights, .alreadyAMember, .lastOwner)
        DELETE(
            "/v1/client-companies/{id}/staff/{member_id}", "End a member's entry to a client",
            .can(.clientsWrite), withdraw
        ).operation("removeClientStaff")
            .problems(.lastOwner)
        DELETE("/v1/client-companies/{id}", "Release a client company", .can(.clientsWrite), release)
            .operation("releaseClientCompany")
            .describe(
                "It becomes a company of its own: all entries of the agency's staff end, so it must have an owner "
                    + "of its own."
            )
            .problems(.lastOwner)
    }

    struct Filter: ListFilter {
        let status: [CompanyStatus]?

        static let sorts = ["name", "-created_at"]
        static let search = ["name", "slug"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<ClientCompany> {
        let company = try call.company
        return try await call.page(
            list,
            """
            SELECT c.id, c.slug, c.name, c.status, c.logo_url,
                   (SELECT count(*) FROM client_access a
                     WHERE a.company_id = \(company) AND a.child_company_id = c.id) AS staff_count,
                   c.created_at
              FROM companies c
             WHERE c.parent_company_id = \(company) AND c.status <> 'deleted'
            """)
    }

    static func create(_ call: Call, _ body: Body<NewCompany>) async throws -> Created<ClientCompany> {
        let (agency, user, member) = (try call.company, try call.user, try call.member)
        let id = UUID.v7()
        try await call.underCompanyLock { tx, _ in
            let rows = try await tx.query(
                """
                SELECT parent_company_id, (SELECT count(*) FROM companies k WHERE k.parent_company_id = \(agency)) AS count
                  FROM companies WHERE id = \(agency)
                """)
            if try rows[0].get("parent_company_id", as: UUID?.self) != nil { throw Problem(.notAnAgency) }
            guard try rows[0].get("count", as: Int.self) < CompanyLimits.clientCompaniesMax else {
                throw Problem(.tooManyClients)
            }
            try await tx.become(id)
            let founded = try await Founding.found(
                CompanyFounding.NewCompany(
                    id: id, name: body.name.text, founder: user, timeZone: body.timeZone?.text,
                    locale: body.locale?.text, parent: agency),
                by: call.actor, in: tx)
            _ = try await tx.batch([
                "UPDATE memberships SET via_company_id = \(agency) WHERE company_id = \(id) AND id = \(founded.memberId)",
                Headcount.recount(id),
            ])
            try await tx.become(agency)
            _ = try await tx.batch([
                insert(agency: agency, client: id, member: member, clientMember: founded.memberId, by: user),
                Audit.sql(
                    Audit.Entry(
                        "client_company.founded", on: "company", id, after: ["name": .string(body.name.text)]),
                    by: call.actor, company: agency),
            ])
        }
        let rows = try await call.db.query(
            """
            SELECT c.id, c.slug, c.name, c.status, c.logo_url, 1 AS staff_count, c.created_at
              FROM companies c WHERE c.parent_company_id = \(agency) AND c.id = \(id)
            """)
        return try Created(rows)
    }

    struct StaffFilter: ListFilter {
        static let sorts = ["name", "-created_at"]
        static let search = ["name", "email"]
    }

    static func staff(_ call: Call, _ id: Path<UUID>, _ list: List<StaffFilter>) async throws -> Page<
        ClientStaff
    > {
        let agency = try call.company
        try await mustBeClient(id.value, of: agency, call)
        return try await call.page(list, "\(fragment: selectStaff(agency, id.value))")
    }

    static func grant(_ call: Call, _ id: Path<UUID>, _ body: Body<ClientAccessGrant>) async throws -> Single<
        ClientStaff
    > {
        let agency = try call.company
        try await mustBeClient(id.value, of: agency, call)
        try await call.underCompanyLock { tx, _ in
            try await ClientAccess.grant(body.value, to: id.value, from: agency, by: call, in: tx)
        }
        return try Single(
            await call.db.query(
                "\(fragment: selectStaff(agency, id.value)) AND a.member_id = \(body.memberId)"))
    }

    static func withdraw(_ call: Call, _ id: Path<UUID>, _ member: Path<UUID>) async throws -> NoContent {
        let agency = try call.company
        try await call.underCompanyLock { tx, _ in
            let rows = try await tx.query(
                """
                SELECT m.user_id FROM client_access a
                  JOIN memberships m ON m.company_id = a.company_id AND m.id = a.member_id
                 WHERE a.company_id = \(agency) AND a.child_company_id = \(id) AND a.member_id = \(member)
                """)
            guard let row = rows.first else { throw Problem.notFound }
            try await ClientAccess.withdraw(
                member: member.value, user: row.get("user_id"), from: agency, only: id.value, by: call.actor,
                in: tx)
            try await Audit.record(
                Audit.Entry(
                    "client_company.access_withdrawn", on: "company", id.value,
                    before: ["member_id": .string(member.value.description)]),
                by: call.actor, company: agency, in: tx)
        }
        return NoContent()
    }

    static func release(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let agency = try call.company
        try await mustBeClient(id.value, of: agency, call)
        try await call.underCompanyLock { tx, _ in
            let staff = try await tx.query(
                """
                SELECT a.member_id, m.user_id FROM client_access a
                  JOIN memberships m ON m.company_id = a.company_id AND m.id = a.member_id
                 WHERE a.company_id = \(agency) AND a.child_company_id = \(id)
                """)
            for row in staff {
                try await ClientAccess.withdraw(
                    member: row.get("member_id"), user: row.get("user_id"), from: agency, only: id.value,
                    by: call.actor,
                    in: tx)
            }
            try await tx.become(id.value)
            _ = try await tx.batch([
                """
                UPDATE companies SET parent_company_id = NULL, version = version + 1, updated_at = now()
                 WHERE id = \(id) AND parent_company_id = \(agency)
                """,
                Audit.sql(
                    Audit.Entry("company.released", on: "company", id.value), by: call.actor,
                    company: id.value),
            ])
            try await tx.become(agency)
            try await Audit.record(
                Audit.Entry("client_company.released", on: "company", id.value), by: call.actor,
                company: agency, in: tx)
        }
        return NoContent()
    }

    static func insert(agency: UUID, client: UUID, member: UUID, clientMember: UUID, by user: UUID?) -> SQL {
        """
        INSERT INTO client_access (company_id, id, child_company_id, member_id, child_member_id, granted_by)
        VALUES (\(agency), \(UUID.v7()), \(client), \(member), \(clientMember), \(user))
        ON CONFLICT (company_id, child_company_id, member_id) DO UPDATE SET granted_by = excluded.granted_by
        """
    }

    private static func mustBeClient(_ id: UUID, of agency: UUID, _ call: Call) async throws {
        let rows = try await call.db.query(
            "SELECT 1 FROM companies WHERE id = \(id) AND parent_company_id = \(agency) AND status <> 'deleted'"
        )
        if rows.isEmpty { throw Problem.notFound }
    }

    private static func selectStaff(_ agency: UUID, _ client: UUID) -> SQL {
        """
        SELECT a.id, a.member_id, m.user_id, u.name, u.email, a.child_member_id AS client_member_id, a.granted_by,
               a.created_at
          FROM client_access a
          JOIN memberships m ON m.company_id = a.company_id AND m.id = a.member_id
          JOIN users u ON u.id = m.user_id
         WHERE a.company_id = \(agency) AND a.child_company_id = \(client)
        """
    }
}
