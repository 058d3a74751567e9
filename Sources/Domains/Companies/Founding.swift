import API
import Core
import Postgres
import Wire

/// The beginning of a company: its row, the six built-in roles, the founder as its owner.
enum Founding {
    static let port = CompanyFounding { company, actor, tx in try await found(company, by: actor, in: tx) }

    static func found(
        _ company: CompanyFounding.NewCompany, by actor: Audit.Actor, in tx: Transaction
    ) async throws -> CompanyFounding.Founded {
        let slug = try await insertCompany(company, in: tx)
        let memberId = UUID.v7()
        let ownerRole = UUID.v7()
        let roles = BuiltInRole.allCases.map { role in
            builtIn(role, id: role == .owner ? ownerRole : UUID.v7(), company: company.id)
        }
        _ = try await tx.batch(
            roles + [
                """
                INSERT INTO memberships (company_id, id, user_id) VALUES (\(company.id), \(memberId), \(company.founder))
                """,
                """
                INSERT INTO member_roles (company_id, member_id, role_id)
                VALUES (\(company.id), \(memberId), \(ownerRole))
                """,
                Audit.sql(
                    Audit.Entry(
                        "company.founded", on: "company", company.id,
                        after: ["name": .string(company.name), "slug": .string(slug)]),
                    by: actor, company: company.id),
                try CompanyEvents.company(
                    CompanyEvents.companyCreated, company.id, company.name, slug: slug, by: actor),
            ])
        try await AccessChange.record(user: company.founder, company: company.id, in: tx)
        return CompanyFounding.Founded(memberId: memberId, slug: slug)
    }

    /// Inserts the row under the first free slug.
    private static func insertCompany(_ company: CompanyFounding.NewCompany, in tx: Transaction) async throws
        -> String
    {
        let wanted = CompanySlug.of(company.name)
        var slug = wanted
        for _ in 0..<slugTries {
            let rows = try await tx.query(
                """
                INSERT INTO companies (id, parent_company_id, slug, name, time_zone, locale)
                VALUES (\(company.id), \(company.parent), \(slug), \(company.name),
                        coalesce(\(company.timeZone), 'UTC'), coalesce(\(company.locale), 'en'))
                ON CONFLICT (slug) DO NOTHING
                """)
            if rows.affected == 1 { return slug }
            slug = CompanySlug.another(wanted)
        }
        throw Problem(.slugTaken, "No free short name was found for this company; choose another name.")
    }

    private static func builtIn(_ role: BuiltInRole, id: UUID, company: UUID) -> SQL {
        let name = role.rawValue.prefix(1).uppercased() + role.rawValue.dropFirst()
        return """
            INSERT INTO roles (company_id, id, key, name, is_builtin)
            VALUES (\(company), \(id), \(role.rawValue), \(name), true)
            """
    }

    private static let slugTries = 8
}
