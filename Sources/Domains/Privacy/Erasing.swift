import API
import Core
import Crypto
import Postgres
import Wire

/// The erasure itself, as a job: first the identity, so that nothing new can be written in the person's name, then table
/// after table. Each step and its mark are one transaction; an attempt that comes after a crash goes on behind the last.
struct Erasing {
    struct Arguments: Codable, Sendable { let request: UUID }

    static let kind = JobKind<Arguments>("privacy.erase", queue: "privacy", leaseSeconds: 60)

    static let handler = JobHandler(kind) { arguments, job in
        try await Erasing(id: arguments.request, job: job).run()
    }

    let id: UUID
    let job: Job

    private var db: Database { job.work.database }

    private struct Request {
        let subject: PrivacySubject
        let person: PersonalData.Subject
        let requestedBy: UUID
        let blocks: Bool
    }

    func run() async throws -> JobOutcome {
        guard let request = try await begin() else { return .cancelled("the request was cancelled") }
        do {
            try await eraseIdentity(request)
        } catch let problem as Problem {
            try await block(problem)
            return .cancelled(problem.detail ?? problem.code.title)
        }
        let plan = try await ErasurePlan.make(of: request.person, job.work.environment[Declarations.self], db)
        for (n, step) in plan.steps.enumerated() {
            try await run(step, n: n + 1)
            if n % 10 == 9 {
                try await job.progress(n * 100 / plan.steps.count, step.table.declaration.table)
            }
        }
        try await finish(request)
        return .done
    }

    /// Takes the request in hand; nil when it is no longer wanted.
    private func begin() async throws -> Request? {
        let rows = try await db.query(
            """
            UPDATE privacy_requests
               SET state = 'running', started_at = coalesce(started_at, now()), version = version + 1, updated_at = now()
             WHERE id = \(id) AND kind = 'erasure' AND state IN ('scheduled', 'running') AND execute_after <= now()
            RETURNING subject, company_id, user_id, email_sealed, requested_by, blocks_sign_up
            """)
        guard let row = rows.first else { return nil }
        let email = try PrivacyRequests.open(
            try row.get("email_sealed"), id, job.work.environment[KeyRing.self])
        return Request(
            subject: try row.get("subject"),
            person: PersonalData.Subject(
                user: try row.get("user_id"), email: email, company: try row.get("company_id")),
            requestedBy: try row.get("requested_by"), blocks: try row.get("blocks_sign_up"))
    }

    private var actor: Audit.Actor { Audit.Actor(.system, id: nil, requestId: "erasure \(id)") }

    /// The first step. Of somebody without an account there is no identity to end; the address may be blocked.
    private func eraseIdentity(_ request: Request) async throws {
        let tenant = Tenant(company: nil, user: request.person.user)
        let plan = try await ErasurePlan.make(of: request.person, job.work.environment[Declarations.self], db)
        try await db.transaction(as: tenant, deadline: PrivacyLimits.stepSeconds) { tx in
            let mark = try await tx.query(
                """
                INSERT INTO privacy_steps (request_id, n, table_name, action, rows, done_at)
                VALUES (\(id), 0, 'users', 'identity', \(request.person.user == nil ? 0 : 1), now())
                ON CONFLICT (request_id, n) DO NOTHING RETURNING n
                """)
            if mark.isEmpty { return }
            if let email = request.person.email, request.blocks {
                _ = try await tx.query(job.work.environment[ErasedAddresses.self].block(email))
            }
            guard let user = request.person.user else { return }
            let before = try await plan.counts(in: tx)
            try await job.work.environment[AccountDeparture.self].depart(user, actor, tx)
            try await job.work.environment[AccountErasure.self].erase(user, actor, tx)
            try await note(plan, before, in: tx)
        }
    }

    /// What went with the identity, so that the report tells of it: the later steps do not meet these rows any more.
    /// Such marks are numbered downwards from the identity's own.
    private func note(_ plan: ErasurePlan, _ before: [Int64], in tx: Transaction) async throws {
        let after = try await plan.counts(in: tx)
        var marks: [SQL] = []
        for (index, step) in plan.steps.enumerated() where after[index] < before[index] {
            marks.append(
                """
                INSERT INTO privacy_steps (request_id, n, table_name, in_company, action, rows, done_at)
                VALUES (\(id), \(-1 - index), \(step.table.declaration.table), \(step.company), 'delete',
                        \(before[index] - after[index]), now())
                """)
        }
        if !marks.isEmpty { _ = try await tx.batch(marks) }
    }

    /// What the person must see to first, as handing over a company she alone owns.
    private func block(_ problem: Problem) async throws {
        _ = try await db.query(
            """
            UPDATE privacy_requests
               SET state = 'blocked', error = \(problem.detail ?? problem.code.title), version = version + 1,
                   updated_at = now()
             WHERE id = \(id)
            """)
    }

    private func run(_ step: ErasurePlan.Step, n: Int) async throws {
        let tenant = Tenant(company: step.company)
        try await db.transaction(as: tenant, deadline: PrivacyLimits.stepSeconds) { tx in
            let mark = try await tx.query(
                """
                INSERT INTO privacy_steps (request_id, n, table_name, in_company, action, reason)
                VALUES (\(id), \(n), \(step.table.declaration.table), \(step.company), \(step.action), \(step.reason))
                ON CONFLICT (request_id, n) DO NOTHING RETURNING n
                """)
            if mark.isEmpty { return }
            let met = try await tx.query(step.statement)
            let rows = try met[0].get("rows", as: Int64.self)
            _ = try await tx.query(
                "UPDATE privacy_steps SET rows = \(rows), done_at = now() WHERE request_id = \(id) AND n = \(n)"
            )
        }
    }

    /// Writes the report, tells each company that was touched, and forgets the address.
    private func finish(_ request: Request) async throws {
        let report = try await report(request)
        let text = JSONText(try JSON(encoding: report))
        let touched = Set(report.tables.compactMap(\.companyId)).union(
            request.person.company.map { [$0] } ?? [])
        try await db.transaction(deadline: PrivacyLimits.stepSeconds) { tx in
            let rows = try await tx.query(
                """
                UPDATE privacy_requests
                   SET state = 'done', finished_at = \(report.finishedAt), report = \(text),
                       report_sha256 = sha256(convert_to(\(text)::jsonb::text, 'UTF8')), email_sealed = NULL, plan = NULL,
                       version = version + 1, updated_at = now()
                 WHERE id = \(id) AND state = 'running'
                RETURNING encode(report_sha256, 'hex') AS sha256
                """)
            guard let row = rows.first else { return }
            let digest = try row.get("sha256", as: String.self)
            for company in touched.sorted(by: { $0.description < $1.description }) {
                let here = report.tables.filter { $0.companyId == company }
                try await tx.become(company)
                try await Audit.record(
                    Audit.Entry(
                        "privacy.erased", on: "privacy_request", id,
                        after: [
                            "report_sha256": .string(digest), "rows_erased": JSON(Int(Self.erased(here))),
                            "rows_kept": JSON(Int(Self.kept(here))),
                        ]),
                    by: actor, company: company, in: tx)
            }
            try await job.finish(in: tx)
        }
    }

    private func report(_ request: Request) async throws -> ErasureReport {
        let what = Dictionary(
            uniqueKeysWithValues: job.work.environment[Declarations.self].personal.map { ($0.table, $0.what) }
        )
        let rows = try await db.query(
            """
            SELECT table_name, in_company, action, reason, coalesce(rows, 0) AS rows, done_at
              FROM privacy_steps WHERE request_id = \(id) AND rows > 0 ORDER BY n
            """)
        var tables: [ReportedStep] = []
        for row in rows {
            let table = try row.get("table_name", as: String.self)
            tables.append(
                ReportedStep(
                    table: table, companyId: try row.get("in_company"), what: what[table] ?? table,
                    action: ReportedStep.Action(rawValue: try row.get("action")) ?? .keep,
                    reason: try row.get("reason"), rows: try row.get("rows"), doneAt: try row.get("done_at")))
        }
        let asked = try await db.query(
            "SELECT created_at, confirmed_at FROM privacy_requests WHERE id = \(id)")
        let days = job.work.environment[Settings.self].backupDays
        return ErasureReport(
            requestId: id, subject: request.subject, requestedBy: request.requestedBy,
            requestedAt: try asked[0].get("created_at"), confirmedAt: try asked[0].get("confirmed_at"),
            finishedAt: .now, signUpIsBlocked: request.blocks, tables: tables,
            rowsErased: Self.erased(tables),
            rowsKept: Self.kept(tables),
            backups:
                "Backups made before this may hold the data until they expire, \(days) days after they were made. "
                + "They are used for nothing but restoring the whole database; whoever restores one repeats the erasures "
                + "made since.")
    }

    private static func erased(_ steps: [ReportedStep]) -> Int64 {
        steps.filter { $0.action != .keep }.reduce(0) { $0 + $1.rows }
    }

    private static func kept(_ steps: [ReportedStep]) -> Int64 {
        steps.filter { $0.action == .keep }.reduce(0) { $0 + $1.rows }
    }
}
