import API
import Core
import Postgres
import Wire

/// Makes exports in the background: read by a cursor from one picture of the data, written to a file as it is read.
enum ExportWork {
    struct Arguments: Codable, Sendable {
        let id: UUID
    }

    static let kind = JobKind<Arguments>(
        "workspace.export", queue: "exports", attemptsMax: 5,
        backoff: .doubling(from: .seconds(2), upTo: .seconds(120)),
        perCompanyMax: 2)
    /// Each reads without a pause.
    static let queue = JobQueue("exports", concurrency: 4)

    static let handler = JobHandler(kind) { arguments, job in
        guard let company = job.company else { throw JobFailure.permanent("an export belongs to a company") }
        do {
            return try await make(arguments.id, company, job)
        } catch is Stopped {
            return .cancelled("the export was stopped")
        } catch is Interrupted {
            return .again(at: .now)
        } catch {
            let failure = error as? JobFailure
            if failure?.isPermanent == true || job.attempt >= job.attemptsMax {
                try await fail(
                    arguments.id, company, failure?.description ?? "it could not be made; try again", job)
            }
            throw error
        }
    }

    /// Somebody stopped it.
    struct Stopped: Error {}
    /// The process is about to end.
    struct Interrupted: Error {}

    private struct Wish: Decodable, Sendable {
        let kind: String
        let filter: JSON
        let sort: String?
        let columns: [String]
        let format: ExportFormat
        let createdBy: UUID?
        let permissionsMax: [String]?
    }

    @inline(never)
    private static func make(_ id: UUID, _ company: UUID, _ job: Job) async throws -> JobOutcome {
        let (database, environment) = (job.work.database, job.work.environment)
        let rows = try await database.query(
            """
            SELECT kind, filter, sort, columns, format, created_by, permissions_max FROM exports
             WHERE company_id = \(company) AND id = \(id) AND state = 'running'
            """, as: Tenant(company: company, user: nil))
        guard let row = rows.first else { throw Stopped() }
        let wish = try row.decode(Wish.self)
        let kind = environment[WorkspaceParts.self].exportKind(wish.kind)
        guard let kind, let user = wish.createdBy else {
            throw JobFailure.permanent("nobody is known in whose name it runs")
        }
        let member = try await Principal.member(
            user: user, company: company, within: wish.permissionsMax, database)
        guard let member, member.permissions.contains(kind.permission) else {
            throw JobFailure.permanent("whoever started it may not do so any more")
        }
        let table: ExportTable
        do {
            table = try await ExportTable.of(
                kind, filter: wish.filter, sort: wish.sort, keys: wish.columns, member: member, environment)
        } catch let problem as Problem {
            throw JobFailure.permanent(problem.faults.first?.detail ?? problem.code.title)
        }
        let kept = try await keep(table, wish.format, kind, id, member, job)
        try await finish(id, kind, kept, member, job)
        return .done
    }

    @inline(never)
    private static func keep(
        _ table: ExportTable, _ format: ExportFormat, _ kind: ExportKind, _ id: UUID, _ member: Principal,
        _ job: Job
    ) async throws -> FileKeeping.Kept {
        let company = member.companyId ?? .zero
        let draft = FileKeeping.Draft(
            name: "\(kind.kind)-\(Timestamp.now.description.prefix(10)).\(format.rawValue)", company: company,
            purpose: "export",
            by: Audit.Actor(.user, id: member.userId), keptFor: WorkspaceNumbers.exportLife)
        let making = ExportMaking(
            table: table, printer: ExportPrinter(format, table.columns, name: kind.name), format: format,
            member: member,
            job: job, progress: ExportProgress(id, company, job.work.database))
        do {
            return try await job.work.environment[FileKeeping.self].keep(draft) { out in
                try await making.write(to: out)
            }
        } catch let problem as Problem where problem.status < 500 {
            // No room for another file.
            throw JobFailure.permanent(problem.detail ?? problem.code.title)
        }
    }

    @inline(never)
    private static func finish(
        _ id: UUID, _ kind: ExportKind, _ kept: FileKeeping.Kept, _ member: Principal, _ job: Job
    ) async throws {
        let company = member.companyId ?? .zero
        let actor = Audit.Actor(.user, id: member.userId)
        try await job.work.database.transaction(as: member.tenant) { tx in
            let rows = try await tx.query(
                """
                UPDATE exports SET state = 'done', file_id = \(kept.id), size_bytes = \(kept.sizeBytes),
                       expires_at = \(Timestamp.now + WorkspaceNumbers.exportLife), finished_at = now()
                 WHERE company_id = \(company) AND id = \(id) AND state = 'running' RETURNING rows_done
                """)
            guard let row = rows.first else { return }
            let count: Int = try row.get("rows_done")
            try await ExportEvents.tell(
                id, kind, rows: count, kept, to: member.userId, by: actor, company, in: tx)
        }
    }

    @inline(never)
    private static func fail(_ id: UUID, _ company: UUID, _ reason: String, _ job: Job) async throws {
        let parts = job.work.environment[WorkspaceParts.self]
        try await job.work.database.transaction(as: Tenant(company: company, user: nil)) { tx in
            let rows = try await tx.query(
                """
                UPDATE exports SET state = 'failed', error = \(reason), finished_at = now()
                 WHERE company_id = \(company) AND id = \(id) AND state = 'running'
                RETURNING kind, created_by
                """)
            guard let row = rows.first, let user = try row.get("created_by", as: UUID?.self) else { return }
            let kind = try row.get("kind", as: String.self)
            try await Notify.record(
                ExportEvents.failed, to: [user], about: .init("export", id),
                values: ["name": .string(parts.exportKind(kind)?.name ?? kind), "reason": .string(reason)],
                link: "/exports/\(id)", by: .system, company: company, in: tx)
        }
    }
}

/// One export in the making.
private struct ExportMaking: Sendable {
    let table: ExportTable
    let printer: ExportPrinter
    let format: ExportFormat
    let member: Principal
    let job: Job
    let progress: ExportProgress

    @inline(never)
    func write(to out: any FileKeeping.Sink) async throws {
        try await out.write(printer.begin())
        try await job.work.database.stream(
            table.statement, as: member.tenant, rowsAtOnce: WorkspaceNumbers.exportRowsAtOnce,
            deadline: WorkspaceNumbers.exportDeadline
        ) { rows in try await write(rows, to: out) }
        try await out.write(printer.end())
    }

    @inline(never)
    private func write(_ rows: Rows, to out: any FileKeeping.Sink) async throws {
        let piece = try printer.print(rows)
        if !piece.isEmpty { try await out.write(piece) }
        let goesOn = try await progress.add(rows.count)
        if job.isStopping { throw ExportWork.Interrupted() }
        if !goesOn { throw ExportWork.Stopped() }
        if format == .xlsx, progress.rows >= SheetWriter.rowsMax {
            throw JobFailure.permanent("a sheet has \(SheetWriter.rowsMax) rows at most: export as CSV")
        }
    }
}

/// How far an export has come, for those who look.
// @unchecked Sendable: used by the one task that makes the export.
final class ExportProgress: @unchecked Sendable {
    private let id: UUID
    private let company: UUID
    private let database: Database
    private(set) var rows = 0

    init(_ id: UUID, _ company: UUID, _ database: Database) {
        (self.id, self.company, self.database) = (id, company, database)
    }

    /// False when somebody has stopped it.
    func add(_ count: Int) async throws -> Bool {
        rows += count
        let known = try await database.query(
            """
            UPDATE exports SET rows_done = \(rows) WHERE company_id = \(company) AND id = \(id) AND state = 'running'
            """, as: Tenant(company: company, user: nil))
        return known.affected > 0
    }
}
