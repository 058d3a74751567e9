import API
import Core
import Postgres
import Wire

/// Clients as a table that comes in.
enum ClientImport {
    static let kind = ImportKind(
        "client", "Clients", .crmWrite, target: ContactImport.target,
        columns: { _, company, environment in
            let fields = try await environment[CustomFields.self].fields(
                of: "client", scope: nil, company: company)
            return columns + RecordImport.columns(of: fields)
        },
        write: write,
        undo: { things, run, tx in try await RecordImport.undo(things, .client, run, tx) })

    static let columns = [
        ImportColumn(
            "name", "Name", isRequired: true, summary: "One line",
            aliases: ["Client", "Company", "Organisation", "Organization", "Account", "Firma"]),
        ImportColumn("website", "Website", summary: "Its site or host", aliases: ["Domain", "URL", "Site"]),
        ImportColumn("phone", "Phone", summary: "One number", aliases: ["Telephone", "Telefon"]),
        ImportColumn("industry", "Industry", summary: "One line", aliases: ["Sector", "Branche"]),
        ImportColumn(
            "employees", "Employees", summary: "A whole number",
            aliases: ["Size", "Headcount", "Mitarbeiter"]),
        ImportColumn("description", "Description", summary: "Text", aliases: ["Notes", "Beschreibung"]),
        ImportColumn(
            "lifecycle", "Lifecycle",
            summary: ClientLifecycle.allCases.map(\.rawValue).joined(separator: ", "),
            aliases: ["Stage", "Status"]),
        ImportColumn(
            "owner", "Owner", summary: "The e-mail address of a member",
            aliases: ["Account owner", "Owner email"]),
        ImportColumn(
            "tags", "Tags", summary: "Names, between commas; new ones are made", aliases: ["Labels", "Tag"]),
    ]

    @Sendable @inline(never)
    static func write(_ rows: [ImportRow], _ run: ImportRun, _ tx: Transaction) async throws
        -> [ImportOutcome]
    {
        let policy = ContactImport.Policy(rawValue: run.target["dedupe"]?.stringValue ?? "") ?? .skip
        let known = try await RecordImport.load(rows, .client, run, tx)
        var outcomes: [ImportOutcome] = []
        var fresh: [ClientWriting.Draft] = []
        var seen: [String: Int] = [:]
        for (index, row) in rows.enumerated() {
            var faults: [ImportFault] = []
            let draft = known.client(row, index, run, &faults)
            let marks = [draft.domain.map { "host \($0)" }, "name \(draft.name.lowercased())"].compactMap {
                $0
            }
            let there =
                draft.domain.flatMap { known.clientsByDomain[$0] }
                ?? known.clientsByName[draft.name.lowercased()]
            if !faults.isEmpty {
                outcomes.append(.failed(faults))
            } else if let other = marks.compactMap({ seen[$0] }).first {
                outcomes.append(.skipped("is the same client as row \(other)"))
            } else if let there {
                outcomes.append(try await meet(there, draft, row, policy, run, tx))
            } else {
                fresh.append(draft)
                outcomes.append(.created(draft.id, version: 1))
            }
            if faults.isEmpty { for mark in marks { seen[mark] = seen[mark] ?? row.n } }
        }
        let made = try await ClientWriting.create(
            all: fresh, by: run.actor, company: run.company, quietly: true, in: tx)
        // Another writer took a host in this moment: the batch is tried again by halves, and then finds his client.
        if made.count < fresh.count { throw Problem(.clientKnown) }
        return outcomes
    }

    /// What becomes of a row whose client is there.
    @inline(never)
    private static func meet(
        _ there: UUID, _ draft: ClientWriting.Draft, _ row: ImportRow, _ policy: ContactImport.Policy,
        _ run: ImportRun,
        _ tx: Transaction
    ) async throws -> ImportOutcome {
        switch policy {
        case .skip: return .skipped("is known already")
        case .create: return .failed([ImportFault("name", "client-known", "is known already")])
        case .update: break
        }
        let rows = try await tx.query(
            """
            SELECT c.* FROM clients c WHERE c.company_id = \(run.company) AND c.id = \(there)
               AND \(fragment: CRMAccess.visible(run.member, "c")) FOR UPDATE
            """)
        guard let old = rows.first else { return .skipped("is looked after by somebody else") }
        let before = try JSON(row: old)
        var values = JSON.Object()
        if let phone = draft.phone { values["phone"] = .string(phone) }
        if let industry = draft.industry { values["industry"] = .string(industry) }
        if let employees = draft.employees { values["employees"] = JSON(employees) }
        if let description = draft.description { values["description"] = .string(description) }
        if row["lifecycle"] != nil { values["lifecycle"] = .string(draft.lifecycle.rawValue) }
        if row["owner"] != nil, let owner = draft.ownerId { values["owner_id"] = .string(owner.description) }
        var custom = before["custom"]?.objectValue ?? JSON.Object()
        for (key, value) in draft.custom.objectValue?.members ?? [] { custom[key] = value }
        values["custom"] = .object(custom)
        let (was, new) = Audit.changed(before, .object(values))
        if new.objectValue?.isEmpty ?? true { return .skipped("is as it was") }
        _ = try await tx.query(Merging.set(.client, new, on: there, run.company))
        try await RecordLife.tell(.client, [there], changed: ["imported"], by: run.actor, run.company, tx)
        try await ContactSearch.renewClients([there], run.company, tx)
        let version: Int = try old.get("version")
        return .changed(there, version: version + 1, before: was)
    }
}
