import API
import Core
import Postgres
import Wire

/// Clients and contacts as things that have comments, tags, fields of their own and saved views, that are found and exported.
extension CRMDomain {
    static let contactSubject = Subject(
        "contact", "Contact", .crmRead, tagging: contactTags, fields: CustomFieldHome(table: "contacts"),
        view: ViewShape(
            ContactFilter.self,
            columns: [
                "name", "job_title", "lifecycle", "owner", "client", "email", "phone", "tags", "created_at",
                "updated_at",
            ],
            groups: ["lifecycle", "owner", "client"]),
        search: SubjectSearch { member, text, limit in
            let company = member.companyId ?? .zero
            return """
                SELECT c.id, \(fragment: Contacts.name(member)) AS title, c.job_title AS detail, '/contacts/' || c.id AS link,
                       found.rank, c.updated_at
                  FROM (\(fragment: Search.matching(ContactSearch.kind(for: member), text, company: company))) AS found
                  JOIN contacts c ON c.company_id = \(company) AND c.id = found.subject_id
                 WHERE \(fragment: CRMAccess.visible(member, "c"))
                 ORDER BY found.rank DESC, c.updated_at DESC LIMIT \(limit)
                """
        },
        see: { call, id in
            let name = Contacts.name(try Contacts.known(call))
            return try await head("contacts", name, id, call)
        },
        visible: { company, id in
            """
            EXISTS (SELECT 1 FROM contacts c WHERE c.company_id = \(company) AND c.id = \(id)
                       AND \(fragment: CRMAccess.isShown(toMember: "c")))
            """
        })

    static let clientSubject = Subject(
        "client", "Client", .crmRead, tagging: clientTags, fields: CustomFieldHome(table: "clients"),
        view: ViewShape(
            ClientFilter.self,
            columns: [
                "name", "domain", "industry", "employees", "lifecycle", "owner", "phone", "tags",
                "created_at", "updated_at",
            ],
            groups: ["lifecycle", "owner", "industry"]),
        search: SubjectSearch { member, text, limit in
            let company = member.companyId ?? .zero
            return """
                SELECT c.id, c.name AS title, c.domain_norm AS detail, '/clients/' || c.id AS link, found.rank, c.updated_at
                  FROM (\(fragment: Search.matching(ContactSearch.client, text, company: company))) AS found
                  JOIN clients c ON c.company_id = \(company) AND c.id = found.subject_id
                 WHERE \(fragment: CRMAccess.visible(member, "c"))
                 ORDER BY found.rank DESC, c.updated_at DESC LIMIT \(limit)
                """
        },
        see: { call, id in try await head("clients", "c.name", id, call) },
        visible: { company, id in
            """
            EXISTS (SELECT 1 FROM clients c WHERE c.company_id = \(company) AND c.id = \(id)
                       AND \(fragment: CRMAccess.isShown(toMember: "c")))
            """
        })

    @inline(never)
    private static func head(_ table: String, _ name: SQL, _ id: UUID, _ call: Call) async throws
        -> SubjectHead?
    {
        let rows = try await call.db.query(
            """
            SELECT \(fragment: name) AS title FROM \(unescaped: table) c
             WHERE c.company_id = \(try call.company) AND c.id = \(id) AND \(fragment: try CRMAccess.visible(call, "c"))
            """)
        guard let row = rows.first else { return nil }
        let (canWrite, canManage) = (call.can(.crmWrite), call.can(.crmManage))
        return SubjectHead(
            title: try row.get("title"), link: "/\(table)/\(id)", canComment: canWrite, canModerate: canManage
        )
    }

    static let contactExport = ExportKind(
        "contact", "Contacts", .crmRead, filter: ContactFilter.self,
        columns: { member, environment in
            let fields = try await environment[CustomFields.self].everyField(
                of: "contact", company: member.companyId ?? .zero)
            return RecordExport.contactColumns + fields.map { .init("custom.\($0.key)", $0.name) }
        },
        base: { list, member, environment in
            let fields = try await environment[CustomFields.self].everyField(
                of: "contact", company: member.companyId ?? .zero)
            let conditions = try await list.filter.conditions(member, environment[CustomFields.self])
            return RecordExport.contacts(member, fields.map(\.key)) + conditions
        })

    static let clientExport = ExportKind(
        "client", "Clients", .crmRead, filter: ClientFilter.self,
        columns: { member, environment in
            let fields = try await environment[CustomFields.self].everyField(
                of: "client", company: member.companyId ?? .zero)
            return RecordExport.clientColumns + fields.map { .init("custom.\($0.key)", $0.name) }
        },
        base: { list, member, environment in
            let fields = try await environment[CustomFields.self].everyField(
                of: "client", company: member.companyId ?? .zero)
            let conditions = try await list.filter.conditions(member, environment[CustomFields.self])
            return RecordExport.clients(member, fields.map(\.key)) + conditions
        })
}

/// Clients and contacts as tables that go out, with names in place of ids.
enum RecordExport {
    static let contactColumns: [ExportKind.Column] = [
        .init("id", "Id"), .init("name", "Name"), .init("first_name", "First name"),
        .init("last_name", "Last name"),
        .init("email", "E-mail"), .init("phone", "Phone"), .init("job_title", "Job title"),
        .init("lifecycle", "Lifecycle"),
        .init("client", "Client"), .init("owner", "Owner"), .init("tags", "Tags"),
        .init("created_at", "Created"),
        .init("updated_at", "Updated"),
    ]

    static let clientColumns: [ExportKind.Column] = [
        .init("id", "Id"), .init("name", "Name"), .init("website", "Website"), .init("phone", "Phone"),
        .init("industry", "Industry"), .init("employees", "Employees"), .init("description", "Description"),
        .init("lifecycle", "Lifecycle"), .init("owner", "Owner"), .init("tags", "Tags"),
        .init("created_at", "Created"),
        .init("updated_at", "Updated"),
    ]

    static func contacts(_ member: Principal, _ custom: [String]) -> SQL {
        """
        SELECT c.id, \(fragment: Contacts.name(member)) AS name, c.first_name, c.last_name,
               \(fragment: CRMAccess.contactData("c.email", member)) AS email,
               \(fragment: CRMAccess.contactData("c.phone", member)) AS phone, c.job_title, c.lifecycle,
               (SELECT x.name FROM clients x WHERE x.company_id = c.company_id AND x.id = c.client_id
                   AND \(fragment: CRMAccess.visible(member, "x"))) AS client,
               \(fragment: owner) AS owner, \(fragment: tags(CRMDomain.contactTags)) AS tags, c.created_at, c.updated_at
               \(fragment: own(custom))
          FROM contacts c WHERE c.company_id = \(member.companyId) AND \(fragment: CRMAccess.visible(member, "c"))
        """
    }

    static func clients(_ member: Principal, _ custom: [String]) -> SQL {
        """
        SELECT c.id, c.name, c.website, \(fragment: CRMAccess.contactData("c.phone", member)) AS phone, c.industry, c.employees,
               c.description, c.lifecycle, \(fragment: owner) AS owner, \(fragment: tags(CRMDomain.clientTags)) AS tags,
               c.created_at, c.updated_at\(fragment: own(custom))
          FROM clients c WHERE c.company_id = \(member.companyId) AND \(fragment: CRMAccess.visible(member, "c"))
        """
    }

    private static let owner: SQL = """
        (SELECT u.name FROM memberships m JOIN users u ON u.id = m.user_id
          WHERE m.company_id = c.company_id AND m.id = c.owner_id)
        """

    private static func tags(_ tagging: Tagging) -> SQL {
        """
        (SELECT string_agg(tag.name, ', ' ORDER BY lower(tag.name)) FROM \(unescaped: tagging.table) tagged
           JOIN tags tag ON tag.company_id = tagged.company_id AND tag.id = tagged.tag_id
          WHERE tagged.company_id = c.company_id AND tagged.\(unescaped: tagging.column) = c.id)
        """
    }

    private static func own(_ custom: [String]) -> SQL {
        // Keys are of small letters, digits and _.
        custom.map { ", c.custom -> \($0)::text AS \(unescaped: "\"custom.\($0)\"")" as SQL }.joined(
            separator: "")
    }
}
