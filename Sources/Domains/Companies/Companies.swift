import API
import Core
import Postgres
import Wire

/// Companies themselves: founding, profile, deletion with its grace period.
enum Companies {
    @RouteList static var routes: [Route] {
        GET("/v1/companies", "List my companies", .signedIn, list)
            .describe("Every company the caller belongs to, with his own standing in it.")
        POST("/v1/companies", "Found a company", .signedIn, create)
            .describe("The caller becomes its owner. To work in it, switch to it with POST /v1/auth/company.")
            .problems(.tooManyCompanies, .slugTaken)
        GET("/v1/companies/{id}", "Read a company", .signedIn, read)
        PATCH("/v1/companies/{id}", "Change the company's profile", .can(.companyWrite), change)
            .describe("The company must be the one the token is for.").problems(.slugTaken)
        POST(
            "/v1/companies/{id}/deletion", "Delete the company after a grace period", .can(.companyDelete),
            delete
        ).operation("deleteCompany")
            .describe(
                "Nobody can enter it from the next request on. Within 30 days an owner can restore it; after that "
                    + "its data is gone for good."
            )
            .problems(.confirmationMismatch, .hasClientCompanies)
        POST("/v1/companies/{id}/restoration", "Restore a company that is being deleted", .signedIn, restore)
            .operation("restoreCompany")
            .problems(.companyNotDeleting, .notAMember)
    }

    struct Filter: ListFilter {
        let status: [CompanyStatus]?

        static let sorts = ["name", "-joined_at"]
        static let search = ["name", "slug"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<OwnCompany> {
        let user = try call.user
        return try await call.page(
            list,
            """
            SELECT c.id, c.slug, c.name, c.status, c.logo_url, c.parent_company_id, m.id AS member_id,
                   m.status AS member_status, m.via_company_id, m.joined_at, c.delete_after
              FROM memberships m
              JOIN companies c ON c.id = m.company_id
             WHERE m.user_id = \(user) AND m.status <> 'removed' AND c.status <> 'deleted'
            """)
    }

    static func create(_ call: Call, _ body: Body<NewCompany>) async throws -> Created<Company> {
        let user = try call.user
        let owned = try await call.db.query(
            """
            SELECT count(*) AS count FROM memberships m JOIN companies c ON c.id = m.company_id
             WHERE m.user_id = \(user) AND m.status = 'active' AND m.via_company_id IS NULL AND c.status <> 'deleted'
            """)
        guard try owned[0].get("count", as: Int.self) < CompanyLimits.companiesOwnedMax else {
            throw Problem(.tooManyCompanies)
        }
        let id = UUID.v7()
        let wanted = CompanyFounding.NewCompany(
            id: id, name: body.name.text, founder: user, timeZone: body.timeZone?.text,
            locale: body.locale?.text)
        let rows = try await call.db.transaction(as: Tenant(company: id, user: user)) { tx in
            _ = try await Founding.found(wanted, by: call.actor, in: tx)
            return try await tx.query(select(id))
        }
        return try Created(rows)
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Company> {
        try Single(
            await call.db.query(
                """
                \(fragment: select(id.value)) AND EXISTS (
                    SELECT 1 FROM memberships m
                     WHERE m.company_id = \(id) AND m.user_id = \(call.user) AND m.status = 'active')
                """))
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<CompanyChange>) async throws -> Single<
        Company
    > {
        let company = try own(id, call)
        var changes = Changes()
        changes.set("name", body.name)
        changes.set("slug", body.slug)
        changes.set("legal_name", body.value.legalName)
        changes.set("description", body.value.description)
        changes.set("website", body.value.website)
        changes.set("logo_url", body.value.logoUrl)
        changes.set("brand_color", body.value.brandColor)
        let setsLogo = body.value.logoUrl != nil
        let rows = try await call.changeCompany(
            company, changes, as: "company.changed", reading: select(company)
        ) { tx in
            if setsLogo { try await CompanyLogo.forget(call, company, in: tx) }
        }
        return try Single(rows)
    }

    static func delete(_ call: Call, _ id: Path<UUID>, _ body: Body<CompanyDeletion>) async throws -> Single<
        Company
    > {
        let company = try own(id, call)
        let until = call.now + .seconds(86_400 * CompanyLimits.graceDays)
        let rows = try await call.underCompanyLock { tx, locked in
            try await Deletion.begin(company, locked, slug: body.confirmSlug.text, until: until, call, in: tx)
            return try await tx.query(select(company))
        }
        return try Single(rows)
    }

    /// For owners of the company, whose token can no longer be for it.
    static func restore(_ call: Call, _ id: Path<UUID>) async throws -> Single<Company> {
        let user = try call.user
        let rows = try await call.db.transaction(as: Tenant(company: id.value, user: user)) { tx in
            try await Deletion.callOff(id.value, by: user, call, in: tx)
            return try await tx.query(select(id.value))
        }
        return try Single(rows)
    }

    /// The company of the token, which the path must name too: another one does not exist for this caller.
    private static func own(_ id: Path<UUID>, _ call: Call) throws -> UUID {
        let company = try call.company
        guard id.value == company else { throw Problem.notFound }
        return company
    }

    static func select(_ company: UUID) -> SQL {
        """
        SELECT c.id, c.parent_company_id, c.slug, c.name, c.legal_name, c.description, c.website, c.status, c.delete_after,
               c.time_zone, c.locale, c.currency, c.logo_url, c.brand_color, c.version, c.created_at, c.updated_at
          FROM companies c
         WHERE c.id = \(company) AND c.status <> 'deleted'
        """
    }
}
