import Core
import Postgres
import Wire

/// What an archive is made of.
enum ExportParts {
    /// What is read as one company, or as none, in one transaction.
    struct Group: Sendable {
        let tenant: Tenant
        var parts: [Exporting.Part]
        var contents: ExportedFiles?
    }

    static func make(
        _ subject: PrivacySubject, _ person: PersonalData.Subject, _ declarations: Declarations,
        _ db: Database
    ) async throws -> [Group] {
        let catalogue = try await TableCatalogue.load(declarations.personal, db)
        if subject == .company, let company = person.company { return [whole(company, catalogue)] }
        var groups: [Group] = []
        var common = Group(tenant: Tenant(company: person.company, user: person.user), parts: [])
        for table in catalogue.tables where !table.isTenants {
            guard let rows = table.declaration.rows(of: person) else { continue }
            if let company = person.company {
                guard table.hasCompany else { continue }
                common.parts.append(part(table, "t.company_id = \(company) AND \(fragment: rows)", in: nil))
            } else {
                common.parts.append(part(table, rows, in: nil))
            }
        }
        groups.append(common)
        for company in try await ErasurePlan.companies(of: person, db) {
            let parts = catalogue.tables.filter(\.isTenants).compactMap { table -> Exporting.Part? in
                table.declaration.rows(of: person).map {
                    part(table, "t.company_id = \(company) AND \(fragment: $0)", in: company)
                }
            }
            groups.append(
                Group(
                    tenant: Tenant(company: company, user: person.user), parts: parts,
                    contents: person.user.map { .uploaded(by: $0, in: company, asksHerself: subject == .me) })
            )
        }
        return groups
    }

    /// Every table of the company, and who its people are.
    private static func whole(_ company: UUID, _ catalogue: TableCatalogue) -> Group {
        var parts = catalogue.tables.filter(\.isTenants).map { table in
            let key = table.declaration.table == "companies" ? "id" : "company_id"
            return part(table, "t.\(unescaped: key) = \(company)", in: nil)
        }
        parts.append(
            Exporting.Part(
                file: "people.json", what: "Who the members are",
                select: """
                    SELECT u.id AS user_id, m.id AS member_id, u.name, u.email, u.locale, u.time_zone, m.status, m.joined_at
                      FROM memberships m JOIN users u ON u.id = m.user_id
                     WHERE m.company_id = \(company)
                    """))
        return Group(tenant: Tenant(company: company), parts: parts, contents: .all(of: company))
    }

    private static func part(_ table: TableCatalogue.Table, _ condition: SQL, in company: UUID?)
        -> Exporting.Part
    {
        let folder = company.map { "companies/\($0)/" } ?? ""
        return Exporting.Part(
            file: "\(folder)\(table.declaration.table).json", what: table.declaration.what,
            select: """
                SELECT \(unescaped: table.list) FROM \(unescaped: table.declaration.table) t WHERE \(fragment: condition)
                """)
    }
}
