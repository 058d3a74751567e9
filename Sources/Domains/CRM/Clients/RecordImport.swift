import API
import Core
import Postgres
import Wire

/// What the rows of a batch of clients or contacts point at, asked for once.
struct RecordImport {
    struct Person {
        let id: UUID
        let isSeen: Bool
    }

    var people: [Identity: Person] = [:]
    var members: [String: UUID] = [:]
    var tags: [String: UUID] = [:]
    var clientsByDomain: [String: UUID] = [:]
    var clientsByName: [String: UUID] = [:]
    var custom: [CustomFields.Checked] = []
    var types: [String: CustomFieldType] = [:]

    static func columns(of fields: [CustomField]) -> [ImportColumn] {
        fields.filter { !$0.isArchived }.map {
            ImportColumn(
                "custom.\($0.key)", $0.name, isRequired: $0.isRequired, summary: "A field of your own",
                aliases: [$0.key])
        }
    }

    @inline(never)
    static func load(_ rows: [ImportRow], _ kind: CRMRecord, _ run: ImportRun, _ tx: Transaction) async throws
        -> RecordImport
    {
        var known = RecordImport()
        let isContact = kind == .contact
        let identities = isContact ? rows.flatMap(identities) : []
        let owners = Array(Set(rows.compactMap { $0["owner"]?.lowercased() }))
        let hosts = Array(
            Set(
                rows.compactMap {
                    ($0[isContact ? "client_website" : "website"]).flatMap { ClientDomain(website: $0)?.text }
                }))
        let names = Array(Set(rows.compactMap { $0[isContact ? "client" : "name"]?.lowercased() }))
        let company = run.company
        let answers = try await tx.batch([
            """
            SELECT wanted.kind, wanted.norm, coalesce(into_one.id, c.id) AS id,
                   coalesce(into_one.deleted_at, CASE WHEN into_one.id IS NULL THEN c.deleted_at END) IS NULL
                   AND \(fragment: CRMAccess.isShown(to: run.member, "c")) AS is_seen
              FROM unnest(\(identities.map(\.kind.rawValue))::text[], \(identities.map(\.norm))::text[]) AS wanted (kind, norm)
              JOIN contact_identities i ON i.company_id = \(company) AND i.kind = wanted.kind AND i.value_norm = wanted.norm
              JOIN contacts c ON c.company_id = i.company_id AND c.id = i.contact_id
              LEFT JOIN contacts into_one ON into_one.company_id = c.company_id AND into_one.id = c.merged_into
            """,
            """
            SELECT m.id, u.email_norm AS email FROM memberships m JOIN users u ON u.id = m.user_id
             WHERE m.company_id = \(company) AND m.status = 'active' AND u.email_norm = ANY(\(owners)::text[])
            """,
            """
            SELECT id, domain_norm AS domain FROM clients
             WHERE company_id = \(company) AND domain_norm = ANY(\(hosts)::text[]) AND deleted_at IS NULL
            """,
            """
            SELECT DISTINCT ON (lower(name)) id, lower(name) AS name FROM clients
             WHERE company_id = \(company) AND lower(name) = ANY(ARRAY(SELECT lower(n) FROM unnest(\(names)::text[]) AS n))
               AND deleted_at IS NULL ORDER BY lower(name), created_at, id
            """,
        ])
        for row in answers[0] {
            let kind = IdentityKind(rawValue: try row.get("kind")) ?? .external
            guard let identity = Identity(kind, try row.get("norm")) else { continue }
            known.people[identity] = Person(id: try row.get("id"), isSeen: try row.get("is_seen"))
        }
        for row in answers[1] { known.members[try row.get("email")] = try row.get("id", as: UUID.self) }
        for row in answers[2] {
            known.clientsByDomain[try row.get("domain")] = try row.get("id", as: UUID.self)
        }
        for row in answers[3] { known.clientsByName[try row.get("name")] = try row.get("id", as: UUID.self) }
        known.tags = try await Tags.named(rows.flatMap { parts($0["tags"]) }, company: company, in: tx)
        let fields = run.environment[CustomFields.self]
        for field in try await fields.fields(of: kind.rawValue, scope: nil, company: company) {
            known.types[field.key] = field.type
        }
        let values = rows.map { known.values($0) }
        known.custom = try await fields.check(all: values, of: kind.rawValue, scope: nil, company: company)
        return known
    }

    /// Makes the clients that the rows name and nobody knows yet.
    @inline(never)
    mutating func makeClients(_ rows: [ImportRow], _ run: ImportRun, _ tx: Transaction) async throws {
        var fresh: [ClientWriting.Draft] = []
        for row in rows {
            let host = row["client_website"].flatMap { ClientDomain(website: $0)?.text }
            guard let name = row["client"].flatMap({ Text<200>($0)?.text }) ?? host else { continue }
            if client(row) != nil { continue }
            var draft = ClientWriting.Draft(name: name)
            draft.website = host.map { "https://\($0)" }
            draft.ownerId = run.member.memberId
            fresh.append(draft)
            if let host { clientsByDomain[host] = draft.id }
            clientsByName[name.lowercased()] = clientsByName[name.lowercased()] ?? draft.id
        }
        let made = try await ClientWriting.create(
            all: fresh, by: run.actor, company: run.company, quietly: true, in: tx)
        if made.count < fresh.count { throw Problem(.clientKnown) }
    }

    private func client(_ row: ImportRow) -> UUID? {
        if let host = row["client_website"].flatMap({ ClientDomain(website: $0)?.text }) {
            return clientsByDomain[host]
                ?? (row["client"] == nil ? nil : clientsByName[row["client"]!.lowercased()])
        }
        return row["client"].flatMap { clientsByName[$0.lowercased()] }
    }

    private static func identities(_ row: ImportRow) -> [Identity] {
        parts(row["email"]).compactMap { Identity(.email, $0) }
            + parts(row["phone"]).compactMap { Identity(.phone, $0) }
            + [row["external_id"].flatMap { Identity(.external, $0) }].compactMap { $0 }
    }

    static func parts(_ cell: String?) -> [String] {
        (cell ?? "").split(whereSeparator: { ",;".contains($0) }).map { String($0).trimmed() }.filter {
            !$0.isEmpty
        }
    }

    func contact(_ row: ImportRow, _ index: Int, _ run: ImportRun, _ faults: inout [ImportFault])
        -> ContactWriting.Draft
    {
        var draft = ContactWriting.Draft()
        draft.name = line("name", row, 200, &faults)
        draft.firstName = line("first_name", row, 100, &faults)
        draft.lastName = line("last_name", row, 100, &faults)
        draft.jobTitle = line("job_title", row, 120, &faults)
        draft.externalId = line("external_id", row, 200, &faults)
        draft.emails = Self.parts(row["email"])
        draft.phones = Self.parts(row["phone"])
        for email in draft.emails where Identity(.email, email) == nil {
            faults.append(ImportFault("email", "invalid", "is not an e-mail address"))
        }
        for phone in draft.phones where Identity(.phone, phone) == nil {
            faults.append(ImportFault("phone", "invalid", "is not a telephone number"))
        }
        if !draft.emails.isEmpty || !draft.phones.isEmpty, !run.member.permissions.contains(.crmContactData) {
            faults.append(ImportFault("email", "forbidden", "takes the permission crm:contact-data"))
        }
        if draft.displayName == nil, faults.isEmpty {
            faults.append(
                ImportFault("name", "required", "a name, an address, a number or an outside id is needed"))
        }
        if let text = row["lifecycle"] {
            if let lifecycle = ContactLifecycle(rawValue: text.lowercased()) {
                draft.lifecycle = lifecycle
            } else {
                faults.append(
                    ImportFault(
                        "lifecycle", "not-one-of",
                        "must be \(ContactLifecycle.allCases.map(\.rawValue).joined(separator: ", "))"))
            }
        }
        draft.clientId = client(row)
        if row["client"] != nil, draft.clientId == nil {
            faults.append(ImportFault("client", "invalid", "must be one line of up to 200 characters"))
        }
        shared(row, index, run, &faults, &draft.ownerId, &draft.tags, &draft.custom)
        return draft
    }

    func client(_ row: ImportRow, _ index: Int, _ run: ImportRun, _ faults: inout [ImportFault])
        -> ClientWriting.Draft
    {
        var draft = ClientWriting.Draft(name: line("name", row, 200, &faults) ?? "")
        draft.industry = line("industry", row, 100, &faults)
        if let site = row["website"] {
            let whole = site.lowercased().hasPrefix("http") ? site : "https://\(site)"
            if WebURL(whole) != nil, ClientDomain(website: whole) != nil {
                draft.website = whole
            } else {
                faults.append(ImportFault("website", "invalid", "is no address of a website"))
            }
        }
        if let phone = row["phone"] {
            if !run.member.permissions.contains(.crmContactData) {
                faults.append(ImportFault("phone", "forbidden", "takes the permission crm:contact-data"))
            } else if IdentityKind.phone.normal(phone) == nil {
                faults.append(ImportFault("phone", "invalid", "is not a telephone number"))
            }
            draft.phone = phone
        }
        if let text = row["employees"] {
            draft.employees = Int(text).flatMap { (0...10_000_000).contains($0) ? $0 : nil }
            if draft.employees == nil {
                faults.append(ImportFault("employees", "invalid", "must be a whole number"))
            }
        }
        draft.description = row["description"]
        if let text = draft.description, Prose<20_000>(text) == nil {
            faults.append(ImportFault("description", "too-long", "may have 20,000 characters"))
        }
        if let text = row["lifecycle"] {
            if let lifecycle = ClientLifecycle(rawValue: text.lowercased()) {
                draft.lifecycle = lifecycle
            } else {
                faults.append(
                    ImportFault(
                        "lifecycle", "not-one-of",
                        "must be \(ClientLifecycle.allCases.map(\.rawValue).joined(separator: ", "))"))
            }
        }
        shared(row, index, run, &faults, &draft.ownerId, &draft.tags, &draft.custom)
        return draft
    }

    private func line(_ column: String, _ row: ImportRow, _ max: Int, _ faults: inout [ImportFault])
        -> String?
    {
        guard let cell = row[column] else { return nil }
        guard let text = Text<200>(cell)?.text, text.unicodeScalars.count <= max else {
            faults.append(ImportFault(column, "invalid", "must be one line of up to \(max) characters"))
            return nil
        }
        return text
    }

    private func shared(
        _ row: ImportRow, _ index: Int, _ run: ImportRun, _ faults: inout [ImportFault], _ owner: inout UUID?,
        _ tags: inout [UUID],
        _ custom: inout JSON
    ) {
        owner = run.member.memberId
        if let address = row["owner"] {
            owner = members[address.lowercased()]
            if owner == nil {
                faults.append(ImportFault("owner", "unknown-owner", "is no active member of this company"))
            }
        }
        tags = Array(Set(Self.parts(row["tags"]).compactMap { self.tags[$0.lowercased()] }))
        for fault in self.custom[index].faults {
            if case .body(let pointer) = fault.place {
                faults.append(
                    ImportFault("custom.\(pointer.dropFirst("/custom/".count))", fault.code, fault.detail))
            }
        }
        custom = self.custom[index].values
    }

    /// The cells of custom fields as values of their types; what is none is left as text, for the check to refuse.
    private func values(_ row: ImportRow) -> JSON {
        var object = JSON.Object()
        for (column, cell) in row.cells where column.hasPrefix("custom.") {
            let key = String(column.dropFirst(7))
            object[key] =
                switch types[key] {
                case .number, .money: (try? JSON.parse(cell)) ?? .string(cell)
                case .boolean:
                    ["true": true, "yes": true, "1": true, "false": false, "no": false, "0": false][
                        cell.lowercased()]
                        ?? .string(cell)
                case .multiSelect: .array(Self.parts(cell).map(JSON.string))
                case .text, .date, .select, .member, .url, nil: .string(cell)
                }
        }
        return .object(object)
    }

    /// Created records go for good when nothing points at them yet; changed ones get back what they were.
    @inline(never)
    static func undo(_ things: [ImportedThing], _ kind: CRMRecord, _ run: ImportRun, _ tx: Transaction)
        async throws -> [UUID]
    {
        let own: Set<String> = [
            "contact_identities.contact_id", "contact_clients.contact_id", "contact_tags.contact_id",
            "client_tags.client_id",
        ]
        let free = MergeCatalogue.references(to: kind).filter {
            !own.contains($0.name) && $0.table != "duplicates"
        }.map { reference -> SQL in
            let only = reference.only.map { " AND x.\($0)" } ?? ""
            return """
                NOT EXISTS (SELECT 1 FROM \(unescaped: reference.table) x WHERE x.company_id = r.company_id
                               AND x.\(unescaped: reference.column) = r.id\(unescaped: only))
                """
        }
        let created = things.filter { $0.before == nil }
        let rows = try await tx.query(
            """
            DELETE FROM \(unescaped: kind.table) r
             USING unnest(\(created.map(\.id))::uuid[], \(created.map(\.version))::integer[]) AS made (id, version)
             WHERE r.company_id = \(run.company) AND r.id = made.id AND r.version = made.version
               AND \(fragment: free.joined(separator: " AND "))
            RETURNING r.id
            """)
        let gone = try rows.map { try $0.get("id", as: UUID.self) }
        let kinds = kind == .client ? [ContactSearch.client] : [ContactSearch.all, ContactSearch.names]
        _ = try await tx.batch(kinds.flatMap { Search.remove($0, gone, company: run.company) })
        var back: [UUID] = []
        for thing in things {
            guard let before = thing.before else { continue }
            let rows = try await tx.query(
                """
                SELECT 1 FROM \(unescaped: kind.table) WHERE company_id = \(run.company) AND id = \(thing.id)
                   AND version = \(thing.version) AND deleted_at IS NULL FOR UPDATE
                """)
            if rows.isEmpty { continue }
            _ = try await tx.query(Merging.set(kind, before, on: thing.id, run.company))
            back.append(thing.id)
        }
        try await RecordLife.tell(kind, back, changed: ["import-undone"], by: run.actor, run.company, tx)
        try await Merging.renew(kind, back, run.company, tx)
        return gone + back
    }
}
