import API
import Core
import Postgres
import Wire

/// Runs imports in the background.
enum ImportWork {
    enum Act: String, Codable, Sendable { case check, run, undo }

    struct Arguments: Codable, Sendable {
        let id: UUID
        let act: Act
        let pass: UUID
    }

    static let kind = JobKind<Arguments>(
        "workspace.import", queue: "imports", attemptsMax: 8,
        backoff: .doubling(from: .seconds(1), upTo: .seconds(120)), perCompanyMax: 2)
    /// Each is one connection at work without a pause.
    static let queue = JobQueue("imports", concurrency: 4)

    static let handler = JobHandler(kind) { arguments, job in
        guard let company = job.company else { throw JobFailure.permanent("an import belongs to a company") }
        let outcome: JobOutcome
        do {
            outcome = try await handle(arguments, company, job)
        } catch {
            let failure = error as? JobFailure
            if failure?.isPermanent == true || job.attempt >= job.attemptsMax {
                let reason =
                    failure?.description
                    ?? "it could not be brought to its end; try again, or ask the operators"
                try await ImportPass.fail(arguments, company, reason, job.work.environment)
            }
            throw error
        }
        return outcome
    }

    @inline(never)
    static func enqueue(_ act: Act, _ id: UUID, _ company: UUID, in tx: Transaction) async throws {
        let pass = UUID.v7()
        let job = try await Jobs.enqueue(
            kind, Arguments(id: id, act: act, pass: pass), company: company, in: tx)
        _ = try await tx.query(
            "UPDATE imports SET job_id = \(job), pass_id = \(pass) WHERE company_id = \(company) AND id = \(id)"
        )
    }

    @inline(never)
    private static func handle(_ arguments: Arguments, _ company: UUID, _ job: Job) async throws -> JobOutcome
    {
        let pass = try await ImportPass.load(arguments, company, job)
        guard let pass else { return .cancelled("the import was stopped") }
        switch arguments.act {
        case .check, .run: return try await pass.go(job)
        case .undo: return try await ImportUndo(pass: pass).go(job)
        }
    }
}
