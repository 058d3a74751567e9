import API
import Core
import Postgres
import Wire

/// A job that does nothing but take its time: to see that the workers work, and what happens when one of them dies.
enum Rehearsals {
    @RouteList static var routes: [Route] {
        POST("/v1/job-rehearsals", "Rehearse a job", .operator, begin).operation("rehearseJob")
            .describe("Enqueues a job that takes so long, tells how far it is, and ends as it is told to.")
    }

    enum Ending: String, Codable, CaseIterable, Sendable {
        case done, failing, dead
    }

    struct Rehearsal: Codable, Sendable, FieldNotes {
        let seconds: Whole<0, 3600>
        let ending: Ending?
        let uniqueKey: Text<80>?

        static let fieldNotes = [
            "ending": "done, unless said otherwise; failing: fails and is tried again; dead: fails for good.",
            "unique_key": "While a rehearsal of this key is unfinished no second one begins.",
        ]
    }

    struct Begun: Codable, Sendable {
        let jobId: UUID
    }

    struct Script: Codable, Sendable {
        let seconds: Int
        let ending: Ending
    }

    static let kind = JobKind<Script>(
        "jobs.rehearse", queue: "rehearsals", attemptsMax: 5, leaseSeconds: 10,
        backoff: .schedule([.seconds(2)]))

    /// Once an hour the whole way from the clock to a finished job is gone: `GET /v1/cron` says when it last was.
    static let hourly = Cron("jobs-rehearsal", "7 * * * *", kind, Script(seconds: 0, ending: .done))

    static func begin(_ call: Call, _ body: Body<Rehearsal>) async throws -> Accepted<Begun> {
        let script = Script(seconds: body.seconds.value, ending: body.ending ?? .done)
        let company = call.principal?.companyId
        let id = try await Jobs.enqueue(
            kind, script, company: company, uniqueKey: body.value.uniqueKey?.text, on: call.db.database)
        guard let id else { throw Problem.conflict(.conflict, "A rehearsal of this key is unfinished.") }
        return Accepted(Begun(jobId: id), at: "/v1/system/jobs/\(id)")
    }

    /// Goes on where it was when its worker was stopped or died.
    static let handler = JobHandler(kind) { script, job in
        let steps = max(1, min(script.seconds * 2, 100))
        var step = job.checkpoint?["step"]?.intValue ?? 0
        while step < steps {
            if job.isStopping { return .again(at: .now) }
            try await Task.sleep(for: .milliseconds(script.seconds * 1000 / steps))
            step += 1
            try await job.keep(["step": .number(.init(step))])
            try await job.progress(step * 100 / steps, "step \(step) of \(steps)")
        }
        switch script.ending {
        case .done: return .result(["steps": .number(.init(steps)), "attempts": .number(.init(job.attempt))])
        case .failing: throw JobFailure.passing("the rehearsal was to fail")
        case .dead: throw JobFailure.permanent("the rehearsal was to end badly")
        }
    }
}
