import API
import Core
import Postgres
import Wire

/// One pass over the file of an import: a dry run, or the run itself. It begins behind the rows that an earlier attempt
/// has finished.
struct ImportPass: Sendable {
    let work: ImportWork.Arguments
    let company: UUID
    let kind: ImportKind
    let run: ImportRun
    let database: Database
    let environment: Environment
    let stored: Stored
    let columns: [ImportColumn]

    struct Stored: Decodable, Sendable {
        let kind: String
        let target: JSON
        let fileId: UUID
        let fileName: String
        let createdBy: UUID?
        let permissionsMax: [String]?
        let delimiter: String
        let encoding: TextEncoding
        let hasHeader: Bool
        let headers: [String]
        let mapping: [MappedColumn]
        let rowsDone: Int
    }

    var id: UUID { work.id }
    private var act: ImportWork.Act { work.act }

    /// Nil when the import is not in that state any more. What makes it impossible is a permanent failure.
    @inline(never)
    static func load(_ work: ImportWork.Arguments, _ company: UUID, _ job: Job) async throws -> ImportPass? {
        let database = job.work.database
        let rows = try await database.query(
            """
            SELECT kind, target, file_id, file_name, created_by, permissions_max, delimiter, encoding, has_header, headers,
                   mapping, rows_done
              FROM imports WHERE \(fragment: isInHand(work, company))
            """, as: Tenant(company: company, user: nil))
        guard let row = rows.first else { return nil }
        let stored = try row.decode(Stored.self)
        guard let kind = job.work.environment[WorkspaceParts.self].importKind(stored.kind) else {
            throw JobFailure.permanent("there is no such kind of import any more")
        }
        guard let user = stored.createdBy else {
            throw JobFailure.permanent("nobody is known in whose name it runs")
        }
        let member = try await Principal.member(
            user: user, company: company, within: stored.permissionsMax, database)
        guard let member, member.permissions.contains(kind.permission) else {
            throw JobFailure.permanent("whoever started it may not do so any more")
        }
        let columns = try await kind.columns(stored.target, company, job.work.environment)
        let run = ImportRun(
            id: work.id, company: company, target: stored.target, member: member,
            actor: Audit.Actor(.user, id: user),
            environment: job.work.environment)
        return ImportPass(
            work: work, company: company, kind: kind, run: run, database: database,
            environment: job.work.environment,
            stored: stored, columns: columns)
    }

    /// A condition: the import is worked on, by this pass and no other.
    static func isInHand(_ work: ImportWork.Arguments, _ company: UUID) -> SQL {
        let state: ImportState =
            switch work.act {
            case .check: .checking
            case .run: .running
            case .undo: .undoing
            }
        return "company_id = \(company) AND id = \(work.id) AND state = \(state) AND pass_id = \(work.pass)"
    }

    /// A mistake of the kind's.
    struct WrongCount: Error, CustomStringConvertible {
        let kind: String
        let rows: Int
        let outcomes: Int
        var description: String { "the import of \(kind) gave \(outcomes) outcomes for \(rows) rows" }
    }

    /// Somebody stopped it, or another worker has it.
    struct Stopped: Error {}
    /// The process is about to end.
    struct Interrupted: Error {}

    @inline(never)
    func go(_ job: Job) async throws -> JobOutcome {
        let reading = ImportReading(self)
        do {
            let isThere = try await environment[FileKeeping.self].read(stored.fileId, company) { bytes in
                try await reading.take(bytes)
                if job.isStopping { throw Interrupted() }
            }
            guard isThere else { throw JobFailure.permanent("the file is not there any more") }
            try await reading.end()
        } catch is Stopped {
            return .cancelled("the import was stopped")
        } catch is Interrupted {
            return .again(at: .now)
        }
        try await finish(job)
        return .done
    }

    /// The end of the pass, told to whoever started it.
    @inline(never)
    private func finish(_ job: Job) async throws {
        try await database.transaction(as: run.member.tenant) { tx in
            let rows = try await tx.query(
                """
                UPDATE imports SET state = \(act == .run ? ImportState.done : .checked), finished_at = now(),
                                   version = version + 1, updated_at = now()
                 WHERE \(fragment: Self.isInHand(work, company))
                RETURNING created_count, changed_count, skipped_count, failed_count
                """)
            guard act == .run, let row = rows.first else { return }
            // The file may be deleted now: neither the undo nor the report of faults needs it.
            try await environment[FileKeeping.self].detach(("import", id), company, tx)
            try await ImportEvents.tellFinished(self, row, in: tx)
        }
    }

    @inline(never)
    static func fail(
        _ work: ImportWork.Arguments, _ company: UUID, _ reason: String, _ environment: Environment
    ) async throws {
        try await environment[Database.self].transaction(as: Tenant(company: company, user: nil)) { tx in
            let changed = try await tx.query(
                """
                UPDATE imports SET state = 'failed', error = \(reason), finished_at = now(), version = version + 1,
                                   updated_at = now()
                 WHERE \(fragment: isInHand(work, company))
                """)
            if changed.affected > 0 {
                try await environment[FileKeeping.self].detach(("import", work.id), company, tx)
            }
        }
    }

    // MARK: one batch

    /// One row of the file, as far as it can be judged without the kind.
    struct Line: Sendable {
        let n: Int
        let cells: [String]
        let row: ImportRow
        /// What is wrong already.
        let faults: [ImportFault]
    }

    func line(_ n: Int, _ record: CSVReader.Record) -> Line {
        var cells: [String: String] = [:]
        for mapped in stored.mapping where mapped.column.value < record.cells.count {
            let cell = ImportSource.tidied(record.cells[mapped.column.value])
            if !cell.isEmpty { cells[mapped.key.text] = cell }
        }
        var faults: [ImportFault] = []
        if record.isBroken {
            faults.append(
                ImportFault(nil, "unreadable", "a cell is too long or not \(stored.encoding.rawValue)"))
        } else if record.cells.contains(where: { $0.utf8.contains(0) }) {
            faults.append(ImportFault(nil, "unreadable", "a cell has a NUL"))
        } else if record.cells.dropFirst(stored.headers.count).contains(where: { !$0.isEmpty }) {
            faults.append(
                ImportFault(
                    nil, "too-many-cells",
                    "has \(record.cells.count) cells, the table has \(stored.headers.count) columns"))
        }
        for column in columns where column.isRequired && cells[column.key] == nil {
            faults.append(ImportFault(column.key, "required", "is required"))
        }
        return Line(n: n, cells: record.cells, row: ImportRow(n: n, cells: cells), faults: faults)
    }

    /// Writes the lines and how far the import has come, or nothing of both.
    @inline(never)
    func write(_ lines: [Line], bytesDone: Int) async throws {
        if act == .check {
            let outcomes = try await rehearsed(lines)
            try await database.transaction(as: run.member.tenant) { tx in
                try await claim(lines, bytesDone, outcomes, tx)
            }
            return
        }
        try await database.transaction(as: run.member.tenant, deadline: WorkspaceNumbers.batchDeadline) {
            tx in
            try await writeAndClaim(lines, bytesDone, tx)
        }
    }

    @inline(never)
    private func writeAndClaim(_ lines: [Line], _ bytesDone: Int, _ tx: Transaction) async throws {
        let outcomes = try await outcomes(of: lines, tx)
        try await claim(lines, bytesDone, outcomes, tx)
    }

    private struct TakenBack: Error {
        let outcomes: [ImportOutcome]
    }

    @inline(never)
    private func rehearsed(_ lines: [Line]) async throws -> [ImportOutcome] {
        do {
            try await database.transaction(as: run.member.tenant, deadline: WorkspaceNumbers.batchDeadline) {
                tx in
                let outcomes = try await outcomes(of: lines, tx)
                throw TakenBack(outcomes: outcomes)
            }
        } catch let rehearsal as TakenBack {
            return rehearsal.outcomes
        }
        return []
    }

    @inline(never)
    private func outcomes(of lines: [Line], _ tx: Transaction) async throws -> [ImportOutcome] {
        let sound = lines.filter(\.faults.isEmpty)
        var written = try await written(sound.map(\.row), tx)[...]
        return lines.map { $0.faults.isEmpty ? written.removeFirst() : .failed($0.faults) }
    }

    /// The rows written together or, when the database refuses one of them, by halves until it stands alone.
    @inline(never)
    private func written(_ rows: [ImportRow], _ tx: Transaction) async throws -> [ImportOutcome] {
        if rows.isEmpty { return [] }
        do {
            let outcomes = try await tx.savepoint { try await kind.write(rows, run, tx) }
            if outcomes.count == rows.count { return outcomes }
            throw WrongCount(kind: kind.kind, rows: rows.count, outcomes: outcomes.count)
        } catch {
            guard let fault = Self.fault(for: error) else { throw error }
            if rows.count == 1 { return [.failed([fault])] }
            let middle = rows.count / 2
            let first = try await written(Array(rows[..<middle]), tx)
            let second = try await written(Array(rows[middle...]), tx)
            return first + second
        }
    }

    /// What a refusal means for the row; nil for what is no fault of the rows.
    private static func fault(for error: any Error) -> ImportFault? {
        if let problem = error as? Problem, problem.status < 500 {
            let detail = problem.faults.first?.detail ?? problem.detail ?? problem.code.title
            return ImportFault(nil, problem.faults.first?.code ?? problem.code.name, detail)
        }
        guard let error = error as? DatabaseError else { return nil }
        switch error.kind {
        case .constraint(_, let name, _): return ImportFault(nil, "refused", "breaks the rule \(name)")
        case .invalidText, .invalidValue:
            return ImportFault(nil, "invalid", "has a value that cannot be stored")
        default: return nil
        }
    }

    /// Notes the outcomes, if the import is still where this pass believes it to be.
    @inline(never)
    private func claim(_ lines: [Line], _ bytesDone: Int, _ outcomes: [ImportOutcome], _ tx: Transaction)
        async throws
    {
        guard let first = lines.first, let last = lines.last else { return }
        let record = ImportRecord(lines, outcomes)
        let answers = try await tx.batch([
            """
            UPDATE imports SET rows_done = \(last.n), bytes_done = \(bytesDone),
                   created_count = created_count + \(record.count(.created)),
                   changed_count = changed_count + \(record.count(.changed)),
                   skipped_count = skipped_count + \(record.count(.skipped)),
                   failed_count = failed_count + \(record.count(.failed)), version = version + 1, updated_at = now()
             WHERE \(fragment: Self.isInHand(work, company)) AND rows_done = \(first.n - 1)
            RETURNING id
            """,
            record.insert(id, isDry: act == .check, company),
        ])
        if answers[0].isEmpty { throw Stopped() }
    }
}
