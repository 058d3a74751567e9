import API
import Core
import Postgres
import Wire

/// What a company has going on in the background.
enum CompanyJobs {
    @RouteList static var routes: [Route] {
        GET("/v1/jobs", "List the company's jobs, newest first", .can(.jobsRead), list)
            .describe(
                "Finished jobs can be looked up for \(JobLimits.daysKept) days, dead ones for \(JobLimits.deadDaysKept)."
            )
        GET("/v1/jobs/{id}", "Read a job", .can(.jobsRead), read)
        GET("/v1/jobs/{id}/stream", "Watch a job", .can(.jobsRead), stream)
            .describe(
                """
                Server-sent events: `job` whenever it has come further, with the job as `GET` shows it; `end` with its last \
                form, after which the stream ends.
                """
            )
            .operation("watchJob")
        POST("/v1/jobs/{id}/retry", "Retry a job", .can(.jobsWrite), retry).operation("retryJob")
            .describe("Gives a dead job all its attempts anew; brings forward one that waits for its time.")
            .problems(.jobNotRetryable)
        POST("/v1/jobs/{id}/cancel", "Cancel a job", .can(.jobsWrite), cancel).operation("cancelJob")
            .describe("One that waits ends at once; one that runs is told to and ends as soon as it can.")
            .problems(.jobFinished)
        POST("/v1/jobs/retry", "Retry many dead jobs", .can(.jobsWrite), retryMany).operation("retryJobs")
        POST("/v1/jobs/cancel", "Cancel many jobs", .can(.jobsWrite), cancelMany).operation("cancelJobs")
    }

    static func list(_ call: Call, _ list: List<JobFilter>) async throws -> Page<CompanyJob> {
        try await call.page(list, JobRows.ofCompany(call.company))
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<CompanyJob> {
        try Single(await call.db.query(one(id.value, call.company)))
    }

    static func stream(_ call: Call, _ id: Path<UUID>) async throws -> API.Events {
        let sql = one(id.value, try call.company)
        guard try await !call.db.query(sql).isEmpty else { throw Problem.notFound }
        return JobStream.follow(id.value, sql, call)
    }

    static func retry(_ call: Call, _ id: Path<UUID>) async throws -> Single<CompanyJob> {
        let company = try call.company
        try await JobOrders.retry(id.value, company: company, call)
        return try Single(await call.db.query(one(id.value, company)))
    }

    static func cancel(_ call: Call, _ id: Path<UUID>) async throws -> Single<CompanyJob> {
        let company = try call.company
        try await JobOrders.cancel(id.value, company: company, call)
        return try Single(await call.db.query(one(id.value, company)))
    }

    static func retryMany(_ call: Call, _ body: Body<JobChoice>) async throws -> Single<JobsChanged> {
        let company = try call.company
        let order = JobOrders.revive(
            .init(company: company, ids: body.ids?.items, kind: body.kind?.text, queue: body.queue?.text))
        return Single(try await JobOrders.run(order, "jobs.retried", call))
    }

    static func cancelMany(_ call: Call, _ body: Body<JobChoice>) async throws -> Single<JobsChanged> {
        let company = try call.company
        let order = JobOrders.cancel(
            .init(company: company, ids: body.ids?.items, kind: body.kind?.text, queue: body.queue?.text))
        return Single(try await JobOrders.run(order, "jobs.cancelled", call))
    }

    private static func one(_ id: UUID, _ company: UUID) -> SQL {
        "\(fragment: JobRows.ofCompany(company)) AND id = \(id)"
    }
}
