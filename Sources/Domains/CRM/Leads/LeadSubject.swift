import API
import Core
import Postgres
import Wire

/// Leads as things that have comments, tags, fields of their own and saved views, that are found, and that come and go as
/// tables.
extension CRMDomain {
    static let leadTags = Tagging(table: "lead_tags", column: "lead_id")

    static let leadSubject = Subject(
        "lead", "Lead", .crmRead, tagging: leadTags, fields: CustomFieldHome(table: "leads"),
        view: ViewShape(
            LeadFilter.self,
            columns: [
                "title", "contact_name", "client_name", "status", "owner", "source", "score", "value_minor",
                "country", "tags",
                "sla_due_at", "created_at", "updated_at",
            ],
            groups: ["status", "owner", "source", "country"]),
        search: SubjectSearch { principal, text, limit in
            let company = principal.companyId ?? .zero
            return """
                SELECT l.id, l.title, coalesce(l.client_name, \(fragment: LeadRows.nameAlone)) AS detail, '/leads/' || l.id AS link, found.rank,
                       l.updated_at
                  FROM leads l
                  JOIN contacts c ON c.company_id = l.company_id AND c.id = l.contact_id
                  JOIN (\(fragment: Search.matching("lead", text, company: company))) found ON found.subject_id = l.id
                 WHERE l.company_id = \(company) AND \(fragment: CRMAccess.visible(principal, "l"))
                 ORDER BY found.rank DESC, l.updated_at DESC LIMIT \(limit)
                """
        },
        see: { call, id in
            let rows = try await call.db.query(
                """
                SELECT l.title FROM leads l
                 WHERE l.company_id = \(try call.company) AND l.id = \(id) AND \(fragment: try CRMAccess.visible(call, "l"))
                """)
            guard let row = rows.first else { return nil }
            return SubjectHead(
                title: try row.get("title"), link: "/leads/\(id)", canComment: call.can(.crmWrite),
                canModerate: call.can(.crmManage))
        },
        visible: { company, id in
            """
            EXISTS (SELECT 1 FROM leads l
                     WHERE l.company_id = \(company) AND l.id = \(id) AND \(fragment: CRMAccess.isShown(toMember: "l")))
            """
        })

    static let leadExport = ExportKind(
        "lead", "Leads", .crmRead, filter: LeadFilter.self,
        columns: { member, environment in
            let fields = try await environment[CustomFields.self].everyField(
                of: "lead", company: member.companyId ?? .zero)
            return LeadTable.columns(for: member) + fields.map { .init("custom.\($0.key)", $0.name) }
        },
        base: { list, member, environment in
            let fields = try await environment[CustomFields.self].everyField(
                of: "lead", company: member.companyId ?? .zero)
            let conditions = try await list.filter.conditions(member, environment[CustomFields.self])
            return LeadTable.base(member, fields.map(\.key), CRMAccess.visible(member, "l") + conditions)
        })

    static let leadImport = ImportKind(
        "lead", "Leads", .crmWrite,
        target: { target, _ in
            if target.objectValue?.isEmpty ?? true { return [:] }
            throw Problem.unprocessable("/target", "unknown-field", "leads go to no certain place")
        },
        columns: { _, company, environment in
            let fields = try await environment[CustomFields.self].fields(
                of: "lead", scope: nil, company: company)
            return LeadTable.importColumns
                + fields.filter { !$0.isArchived }.map {
                    ImportColumn(
                        "custom.\($0.key)", $0.name, isRequired: $0.isRequired,
                        summary: "A field of your own", aliases: [$0.key])
                }
        },
        write: LeadTable.write, undo: LeadTable.undo)
}

enum LeadTable {
    static func columns(for member: Principal) -> [ExportKind.Column] {
        var all: [ExportKind.Column] = [
            .init("title", "Title"), .init("status", "Status"), .init("contact_name", "Contact"),
            .init("client_name", "Company"),
            .init("owner", "Owner"), .init("source_name", "Source"), .init("score", "Score"),
            .init("country", "Country"),
            .init("tags", "Tags"), .init("external_id", "External id"), .init("created_at", "Created"),
            .init("first_response_at", "First answer"), .init("converted_at", "Converted"),
        ]
        if member.permissions.contains(.crmContactData) {
            all += [.init("contact_email", "E-mail"), .init("contact_phone", "Phone")]
        }
        if member.permissions.contains(.crmAmounts) {
            all += [.init("value_minor", "Value"), .init("currency", "Currency")]
        }
        return all
    }

    static func base(_ member: Principal, _ custom: [String], _ condition: SQL) -> SQL {
        // Keys are of small letters, digits and _.
        let own = custom.map { key -> SQL in ", l.custom -> \(key)::text AS \(unescaped: "\"custom.\(key)\"")"
        }
        let more: SQL = """
            , (SELECT u.name FROM memberships m JOIN users u ON u.id = m.user_id
                WHERE m.company_id = l.company_id AND m.id = l.owner_id) AS owner,
              (SELECT string_agg(tag.name, ', ' ORDER BY lower(tag.name)) FROM lead_tags tagged
                 JOIN tags tag ON tag.company_id = tagged.company_id AND tag.id = tagged.tag_id
                WHERE tagged.company_id = l.company_id AND tagged.lead_id = l.id) AS tags\(fragment: own.joined(separator: ""))
            """
        return LeadRows.select(member, where: condition, also: more)
    }

    static let importColumns = [
        ImportColumn("title", "Title", summary: "What it is about", aliases: ["Subject", "Lead", "Titel"]),
        ImportColumn("name", "Name", summary: "Of the person", aliases: ["Contact", "Full name", "Kontakt"]),
        ImportColumn(
            "email", "E-mail", summary: "Of the person", aliases: ["Email", "Mail", "E-Mail-Adresse"]),
        ImportColumn(
            "phone", "Phone", summary: "Of the person", aliases: ["Telephone", "Telefon", "Mobile"]),
        ImportColumn(
            "company", "Company", summary: "Where the person works",
            aliases: ["Client", "Organisation", "Firma"]),
        ImportColumn("message", "Message", summary: "What was asked", aliases: ["Notes", "Description"]),
        ImportColumn(
            "source", "Source", summary: "The name of a lead source", aliases: ["Lead source", "Quelle"]),
        ImportColumn(
            "owner", "Owner", summary: "The e-mail address of a member",
            aliases: ["Assigned to", "Zuständig"]),
        ImportColumn("country", "Country", summary: "Two letters, as DE", aliases: ["Land"]),
        ImportColumn(
            "value_minor", "Value", summary: "In the smallest unit of the currency", aliases: ["Amount"]),
        ImportColumn("currency", "Currency", summary: "Three letters, as EUR", aliases: ["Währung"]),
        ImportColumn(
            "external_id", "External id", summary: "By which another system knows it", aliases: ["Id"]),
        ImportColumn(
            "tags", "Tags", summary: "Names, between commas; new ones are made", aliases: ["Labels"]),
    ]

    private struct Known: Sendable {
        var sources: [String: UUID] = [:]
        var members: [String: UUID] = [:]
        var tags: [String: UUID] = [:]
        var externals: Set<String> = []
    }

    @Sendable @inline(never)
    static func write(_ rows: [ImportRow], _ run: ImportRun, _ tx: Transaction) async throws
        -> [ImportOutcome]
    {
        let known = try await known(rows, run, tx)
        let customs = try await run.environment[CustomFields.self].check(
            all: rows.map(custom), of: "lead", scope: nil, company: run.company)
        var seen = known.externals
        var outcomes: [ImportOutcome] = []
        for (index, row) in rows.enumerated() {
            var faults = customs[index].faults.map { ImportFault(nil, $0.code, $0.detail) }
            var draft = draft(row, known, run, &faults)
            if let external = draft.externalId, !seen.insert(external).inserted {
                outcomes.append(.skipped("A lead has this external id already."))
                continue
            }
            guard faults.isEmpty else {
                outcomes.append(.failed(faults))
                continue
            }
            draft.custom = customs[index].values
            do {
                let ready = draft
                _ = try await tx.savepoint {
                    try await LeadWriting.create(ready, by: run.actor, company: run.company, in: tx)
                }
                outcomes.append(.created(draft.id, version: 1))
            } catch let problem as Problem {
                outcomes.append(
                    .failed([
                        ImportFault(
                            nil, problem.code.name, problem.faults.first?.detail ?? problem.code.title)
                    ]))
            }
        }
        return outcomes
    }

    private static func custom(_ row: ImportRow) -> JSON? {
        var object = JSON.Object()
        for (key, text) in row.cells.sorted(by: { $0.key < $1.key }) where key.hasPrefix("custom.") {
            object[String(key.dropFirst(7))] =
                (try? JSON.parse(text)).flatMap { $0.stringValue == nil ? $0 : nil } ?? .string(text)
        }
        return .object(object)
    }

    @inline(never)
    private static func known(_ rows: [ImportRow], _ run: ImportRun, _ tx: Transaction) async throws -> Known
    {
        var known = Known()
        let externals = rows.compactMap { $0["external_id"] }
        let answers = try await tx.batch([
            "SELECT id, lower(name) AS key FROM lead_sources WHERE company_id = \(run.company)",
            """
            SELECT m.id, lower(u.email) AS key FROM memberships m JOIN users u ON u.id = m.user_id
             WHERE m.company_id = \(run.company) AND m.status = 'active' AND u.email IS NOT NULL
               AND lower(u.email) = ANY(\(rows.compactMap { $0["owner"]?.lowercased() })::text[])
            """,
            "SELECT external_id FROM leads WHERE company_id = \(run.company) AND external_id = ANY(\(externals)::text[])",
        ])
        for row in answers[0] { known.sources[try row.get("key")] = try row.get("id", as: UUID.self) }
        for row in answers[1] { known.members[try row.get("key")] = try row.get("id", as: UUID.self) }
        for row in answers[2] { known.externals.insert(try row.get("external_id")) }
        known.tags = try await Tags.named(rows.flatMap { names($0["tags"]) }, company: run.company, in: tx)
        return known
    }

    private static func names(_ cell: String?) -> [String] {
        (cell ?? "").split(whereSeparator: { ",;".contains($0) }).map { String($0).trimmed() }.filter {
            !$0.isEmpty
        }
    }

    private static func draft(
        _ row: ImportRow, _ known: Known, _ run: ImportRun, _ faults: inout [ImportFault]
    ) -> LeadWriting.Draft {
        var draft = LeadWriting.Draft()
        var person = ContactWriting.Draft()
        person.name = row["name"]
        person.lifecycle = .lead
        if let email = row["email"] {
            if Email(email) == nil {
                faults.append(ImportFault("email", "invalid", "is not an e-mail address"))
            }
            person.emails = [email]
        }
        if let phone = row["phone"] {
            if Identity(.phone, phone) == nil {
                faults.append(ImportFault("phone", "invalid", "is not a telephone number"))
            }
            person.phones = [phone]
        }
        if (row["email"] != nil || row["phone"] != nil) && !run.member.permissions.contains(.crmContactData) {
            faults.append(ImportFault("email", "forbidden", "takes crm:contact-data"))
        }
        if person.displayName == nil {
            faults.append(ImportFault("name", "required", "the person has neither name nor address"))
        }
        draft.contact = person
        draft.title = row["title"].map { String($0.prefix(200)) }
        draft.message = row["message"].map { String($0.prefix(20_000)) }
        draft.clientName = row["company"].map { String($0.prefix(200)) }
        if let source = row["source"] {
            draft.sourceId = known.sources[source.lowercased()]
            if draft.sourceId == nil {
                faults.append(ImportFault("source", "unknown-source", "is no lead source"))
            }
        }
        if let owner = row["owner"] {
            draft.ownerId = known.members[owner.lowercased()]
            if draft.ownerId == nil {
                faults.append(ImportFault("owner", "unknown-member", "is no member's address"))
            }
        }
        if let country = row["country"] {
            draft.country = CountryCode(country.uppercased())?.text
            if draft.country == nil {
                faults.append(ImportFault("country", "invalid", "must be two letters"))
            }
        }
        amount(row, run, &draft, &faults)
        draft.externalId = row["external_id"].map { String($0.prefix(200)) }
        draft.tags = Array(Set(names(row["tags"]).compactMap { known.tags[$0.lowercased()] }))
        draft.channel = draft.sourceId == nil ? "import" : nil
        draft.isQuiet = true
        return draft
    }

    private static func amount(
        _ row: ImportRow, _ run: ImportRun, _ draft: inout LeadWriting.Draft, _ faults: inout [ImportFault]
    ) {
        guard row["value_minor"] != nil || row["currency"] != nil else { return }
        if !run.member.permissions.contains(.crmAmounts) {
            faults.append(ImportFault("value_minor", "forbidden", "takes crm:amounts"))
        }
        draft.valueMinor = row["value_minor"].flatMap { Int64($0) }.flatMap {
            (0...Cents.max).contains($0) ? $0 : nil
        }
        draft.currency = row["currency"].flatMap { CurrencyCode($0.uppercased())?.text }
        if draft.valueMinor == nil {
            faults.append(
                ImportFault("value_minor", "invalid", "must be a whole number, and stand beside its currency")
            )
        }
        if draft.currency == nil {
            faults.append(
                ImportFault("currency", "invalid", "must be a currency like EUR, and stand beside its value"))
        }
    }

    @Sendable @inline(never)
    static func undo(_ things: [ImportedThing], _ run: ImportRun, _ tx: Transaction) async throws -> [UUID] {
        let rows = try await tx.query(
            """
            SELECT \(fragment: LeadHead.columns) FROM leads l
              JOIN unnest(\(things.map(\.id))::uuid[], \(things.map(\.version))::integer[]) AS made (id, version)
                ON made.id = l.id AND made.version = l.version
             WHERE l.company_id = \(run.company) AND l.deleted_at IS NULL ORDER BY l.id FOR UPDATE OF l
            """)
        let heads = try rows.map { try $0.decode(LeadHead.self) }
        for head in heads { try await LeadTrash.remove(head, by: run.actor, run.company, tx) }
        return heads.map(\.id)
    }
}

/// What becomes of leads when somebody they are of is forgotten.
enum LeadsErasure {
    /// Numbers and ways stay: what was asked, by whom and from where does not.
    static func erase(contacts: [UUID], company: UUID) -> [SQL] {
        let theirs: SQL = "company_id = \(company) AND contact_id = ANY(\(contacts)::uuid[])"
        return [
            """
            DELETE FROM search_uses
             WHERE company_id = \(company) AND kind = 'lead'
               AND subject_id IN (SELECT id FROM leads WHERE \(fragment: theirs))
            """,
            """
            DELETE FROM comments
             WHERE company_id = \(company) AND subject_kind = 'lead'
               AND subject_id IN (SELECT id FROM leads WHERE \(fragment: theirs))
            """,
            """
            UPDATE submissions SET raw = '{}', email_norm = NULL, address = NULL, user_agent = NULL, origin = NULL,
                   confirm_sha256 = NULL
             WHERE \(fragment: theirs) OR company_id = \(company) AND email_norm IN (
                   SELECT i.value_norm FROM contact_identities i
                    WHERE i.company_id = \(company) AND i.contact_id = ANY(\(contacts)::uuid[]) AND i.kind = 'email')
            """,
            "UPDATE touches SET page = NULL, referrer = NULL, utm = '{}' WHERE \(fragment: theirs)",
            """
            UPDATE leads SET title = 'Erased', message = NULL, client_name = NULL, external_id = NULL, utm = '{}', custom = '{}',
                   disqualified_for = NULL, version = version + 1, updated_at = now()
             WHERE \(fragment: theirs)
            """,
        ]
    }
}
