import API
import Core
import Postgres
import Wire

/// The check of a chain too long for one answer, in the background: the verdict is the job's result.
enum AuditVerifying {
    @RouteList static var routes: [Route] {
        POST("/v1/audit-verifications", "Check the whole record in the background", .can(.auditRead), ask)
            .operation("verifyWholeAuditRecord")
            .describe(
                "The job's `result` is what GET /v1/audit-events/verify answers, over all seals. Watch it at "
                    + "/v1/jobs/{id} or its stream. While one is under way, asking again names it."
            )
            .idempotent(.none)
            .example(body: ["known_seq": 4711])
    }

    struct Arguments: Codable, Sendable {
        let company: UUID
        let question: Verification.Question
    }

    struct Started: Codable, Sendable {
        let jobId: UUID
    }

    static let kind = JobKind<Arguments>("audit.verify", queue: "audit", attemptsMax: 3, leaseSeconds: 60)

    static let handler = JobHandler(kind) { arguments, job in
        let db = job.work.database
        let check = ChainCheck(
            company: arguments.company, db: db, keys: job.work.environment[AuditKeys.self], now: .now)
        let rows = try await db.query(
            "SELECT greatest(max(seq), 1) AS count FROM audit_seals WHERE company_id = \(arguments.company)",
            as: Tenant(company: arguments.company))
        let count = try rows[0].get("count", as: Int.self)
        let verdict = try await check.run(
            from: arguments.question.fromSeq, upTo: .max, known: arguments.question.known()
        ) { checked in
            try await job.progress(min(99, checked * 99 / count), "\(checked) seals")
        }
        return .result(try JSON(encoding: verdict))
    }

    static func ask(_ call: Call, _ body: Body<Verification.Question>) async throws -> Accepted<Started> {
        let company = try call.company
        // What cannot be asked is said now, not by the job.
        _ = try body.value.known()
        let key = "audit-verify"
        let id = try await call.db.transaction { tx -> UUID? in
            let made = try await Jobs.enqueue(
                kind, Arguments(company: company, question: body.value), company: company, uniqueKey: key,
                in: tx)
            if let made { return made }
            let running = try await tx.query(
                "SELECT id FROM jobs WHERE kind = \(kind.name) AND company_id = \(company) AND unique_key = \(key)"
            )
            return try running.first?.get("id")
        }
        guard let id else {
            throw Problem.unavailable(retryAfterSeconds: 1, "The check before this one has just ended.")
        }
        return Accepted(Started(jobId: id), at: "/v1/jobs/\(id)")
    }
}
