import API
import Core
import Postgres
import Wire

/// Contacts as a table that comes in. Each batch of rows is a handful of statements, however many rows it has.
enum ContactImport {
    /// What becomes of a row whose person is known already.
    enum Policy: String, CaseIterable, Sendable {
        /// The row is passed over.
        case skip
        /// What the row says takes the place of what is there; what it does not say stays.
        case update
        /// The row is a fault.
        case create
    }

    static let kind = ImportKind(
        "contact", "Contacts", .crmWrite, target: target,
        columns: { _, company, environment in
            let fields = try await environment[CustomFields.self].fields(
                of: "contact", scope: nil, company: company)
            return columns + RecordImport.columns(of: fields)
        },
        write: write, undo: undo)

    static let columns = [
        ImportColumn(
            "name", "Name", summary: "As it is shown", aliases: ["Full name", "Contact", "Kontakt"]),
        ImportColumn(
            "first_name", "First name", summary: "One line", aliases: ["Given name", "Vorname", "Prénom"]),
        ImportColumn(
            "last_name", "Last name", summary: "One line",
            aliases: ["Surname", "Family name", "Nachname", "Nom"]),
        ImportColumn(
            "email", "E-mail",
            summary: "One address, or several between commas: the first is the primary one",
            aliases: ["Email", "E-mail address", "Email address", "Mail", "E-Mail-Adresse"]),
        ImportColumn(
            "phone", "Phone", summary: "One number, or several between commas",
            aliases: ["Telephone", "Phone number", "Mobile", "Telefon", "Tel"]),
        ImportColumn(
            "external_id", "External id", summary: "What another system knows the person by", aliases: ["Id"]),
        ImportColumn("job_title", "Job title", summary: "One line", aliases: ["Title", "Position", "Role"]),
        ImportColumn(
            "lifecycle", "Lifecycle",
            summary: ContactLifecycle.allCases.map(\.rawValue).joined(separator: ", "),
            aliases: ["Stage", "Lifecycle stage", "Status"]),
        ImportColumn(
            "client", "Client", summary: "The name of the client; a new one is made",
            aliases: ["Company", "Organisation", "Organization", "Account", "Firma"]),
        ImportColumn(
            "client_website", "Client website", summary: "Its site or host",
            aliases: ["Website", "Domain", "Company domain"]),
        ImportColumn(
            "owner", "Owner", summary: "The e-mail address of a member",
            aliases: ["Contact owner", "Owner email"]),
        ImportColumn(
            "tags", "Tags", summary: "Names, between commas; new ones are made", aliases: ["Labels", "Tag"]),
    ]

    @Sendable static func target(_ target: JSON, _ call: Call) async throws -> JSON {
        let policy = target["dedupe"]?.stringValue ?? Policy.skip.rawValue
        guard (target.objectValue?.members ?? []).allSatisfy({ $0.key == "dedupe" }),
            Policy(rawValue: policy) != nil
        else {
            throw Problem.unprocessable(
                "/target/dedupe", "not-one-of",
                "must be skip, update or create, and nothing else stands beside it")
        }
        return ["dedupe": .string(policy)]
    }

    @Sendable @inline(never)
    static func write(_ rows: [ImportRow], _ run: ImportRun, _ tx: Transaction) async throws
        -> [ImportOutcome]
    {
        let policy = Policy(rawValue: run.target["dedupe"]?.stringValue ?? "") ?? .skip
        var known = try await RecordImport.load(rows, .contact, run, tx)
        try await known.makeClients(rows, run, tx)
        var outcomes: [ImportOutcome] = []
        var fresh: [ContactWriting.Draft] = []
        var updates: [(place: Int, id: UUID, draft: ContactWriting.Draft, row: ImportRow)] = []
        var inBatch: [Identity: Int] = [:]
        for (index, row) in rows.enumerated() {
            var faults: [ImportFault] = []
            let draft = known.contact(row, index, run, &faults)
            let identities = draft.identities
            let person = identities.compactMap { known.people[$0] }.first
            if !faults.isEmpty {
                outcomes.append(.failed(faults))
            } else if let other = identities.compactMap({ inBatch[$0] }).first {
                outcomes.append(.skipped("is the same person as row \(other)"))
            } else if let person {
                switch policy {
                case .skip: outcomes.append(.skipped("is known already"))
                case .create:
                    outcomes.append(.failed([ImportFault("email", "contact-known", "is known already")]))
                case .update where !person.isSeen:
                    outcomes.append(.skipped("is looked after by somebody else"))
                case .update:
                    updates.append((index, person.id, draft, row))
                    outcomes.append(.skipped("is as it was"))
                }
            } else {
                fresh.append(draft)
                outcomes.append(.created(draft.id, version: 1))
            }
            if faults.isEmpty {
                for identity in identities { inBatch[identity] = inBatch[identity] ?? row.n }
            }
        }
        // Quietly: the import is one act, and it is recorded as such.
        try await ContactWriting.create(fresh, by: run.actor, company: run.company, quietly: true, in: tx)
        for (place, outcome) in try await update(updates, run, tx) { outcomes[place] = outcome }
        return outcomes
    }

    private struct Change: Encodable {
        let id: UUID
        let firstName: String?
        let lastName: String?
        let name: String?
        let jobTitle: String?
        let lifecycle: String?
        let ownerId: UUID?
        let custom: JSON
    }

    @inline(never)
    private static func update(
        _ updates: [(place: Int, id: UUID, draft: ContactWriting.Draft, row: ImportRow)], _ run: ImportRun,
        _ tx: Transaction
    ) async throws -> [(Int, ImportOutcome)] {
        if updates.isEmpty { return [] }
        let changes = updates.map { update in
            let draft = update.draft
            let parts = [draft.firstName, draft.lastName].compactMap { $0 }.joined(separator: " ")
            return Change(
                id: update.id, firstName: draft.firstName, lastName: draft.lastName,
                name: draft.name ?? (parts.isEmpty ? nil : parts), jobTitle: draft.jobTitle,
                lifecycle: update.row["lifecycle"].map { _ in draft.lifecycle.rawValue },
                ownerId: update.row["owner"].flatMap { _ in draft.ownerId }, custom: draft.custom)
        }
        let rows = try await tx.query(
            """
            WITH given AS (
                SELECT DISTINCT ON (d.id) d.* FROM jsonb_to_recordset(\(JSONText(try JSON(encoding: changes)))::jsonb) AS d (
                       id uuid, first_name text, last_name text, name text, job_title text, lifecycle text, owner_id uuid,
                       custom jsonb)),
            old AS MATERIALIZED (
                SELECT c.* FROM contacts c JOIN given ON given.id = c.id WHERE c.company_id = \(run.company) ORDER BY c.id FOR UPDATE OF c)
            UPDATE contacts c
               SET first_name = coalesce(given.first_name, c.first_name), last_name = coalesce(given.last_name, c.last_name),
                   name = coalesce(given.name, c.name), job_title = coalesce(given.job_title, c.job_title),
                   lifecycle = coalesce(given.lifecycle, c.lifecycle), owner_id = coalesce(given.owner_id, c.owner_id),
                   custom = c.custom || given.custom, version = c.version + 1, updated_at = now()
              FROM given JOIN old ON old.id = given.id
             WHERE c.company_id = \(run.company) AND c.id = given.id AND c.deleted_at IS NULL
               AND (coalesce(given.first_name, c.first_name), coalesce(given.last_name, c.last_name), coalesce(given.name, c.name),
                    coalesce(given.job_title, c.job_title), coalesce(given.lifecycle, c.lifecycle),
                    coalesce(given.owner_id, c.owner_id), c.custom || given.custom)
                   IS DISTINCT FROM (c.first_name, c.last_name, c.name, c.job_title, c.lifecycle, c.owner_id, c.custom)
            RETURNING c.id, c.version,
                jsonb_build_object('first_name', old.first_name, 'last_name', old.last_name, 'name', old.name,
                    'job_title', old.job_title, 'lifecycle', old.lifecycle, 'owner_id', old.owner_id,
                    'custom', old.custom)::text AS before
            """)
        var done: [UUID: ImportOutcome] = [:]
        for row in rows {
            let id: UUID = try row.get("id")
            done[id] = .changed(
                id, version: try row.get("version"),
                before: try JSON.parse(row.get("before", as: String.self)))
        }
        let ids = Array(done.keys)
        try await RecordLife.tell(.contact, ids, changed: ["imported"], by: run.actor, run.company, tx)
        try await ContactSearch.renew(ids, run.company, tx)
        // Two rows of one person: the first is told of.
        return updates.compactMap { update in done.removeValue(forKey: update.id).map { (update.place, $0) } }
    }

    @Sendable @inline(never)
    static func undo(_ things: [ImportedThing], _ run: ImportRun, _ tx: Transaction) async throws -> [UUID] {
        try await RecordImport.undo(things, .contact, run, tx)
    }
}
