import API
import Core
import Postgres
import Wire

/// The jobs of all companies and of the installation itself.
enum SystemJobs {
    @RouteList static var routes: [Route] {
        GET("/v1/system/jobs", "List all jobs, newest first", .operator, list)
        GET("/v1/system/jobs/{id}", "Read any job", .operator, read)
        GET("/v1/system/jobs/{id}/stream", "Watch any job", .operator, stream).operation("watchSystemJob")
        POST("/v1/system/jobs/{id}/retry", "Retry any job", .operator, retry).operation("retrySystemJob")
            .problems(.jobNotRetryable)
        POST("/v1/system/jobs/{id}/cancel", "Cancel any job", .operator, cancel).operation("cancelSystemJob")
            .problems(.jobFinished)
        POST("/v1/system/jobs/retry", "Retry dead jobs of all companies", .operator, retryMany)
            .operation("retrySystemJobs")
        POST("/v1/system/jobs/cancel", "Cancel jobs of all companies", .operator, cancelMany)
            .operation("cancelSystemJobs")
    }

    static func list(_ call: Call, _ list: List<SystemJobFilter>) async throws -> Page<SystemJob> {
        try await call.page(list, JobRows.ofSystem)
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<SystemJob> {
        try Single(await call.db.query(one(id.value)))
    }

    static func stream(_ call: Call, _ id: Path<UUID>) async throws -> API.Events {
        let sql = one(id.value)
        guard try await !call.db.query(sql).isEmpty else { throw Problem.notFound }
        return JobStream.follow(id.value, sql, call)
    }

    static func retry(_ call: Call, _ id: Path<UUID>) async throws -> Single<SystemJob> {
        try await JobOrders.retry(id.value, company: nil, call)
        return try Single(await call.db.query(one(id.value)))
    }

    static func cancel(_ call: Call, _ id: Path<UUID>) async throws -> Single<SystemJob> {
        try await JobOrders.cancel(id.value, company: nil, call)
        return try Single(await call.db.query(one(id.value)))
    }

    static func retryMany(_ call: Call, _ body: Body<SystemJobChoice>) async throws -> Single<JobsChanged> {
        Single(try await JobOrders.run(JobOrders.revive(body.value.choice), "jobs.retried", call))
    }

    static func cancelMany(_ call: Call, _ body: Body<SystemJobChoice>) async throws -> Single<JobsChanged> {
        Single(try await JobOrders.run(JobOrders.cancel(body.value.choice), "jobs.cancelled", call))
    }

    private static func one(_ id: UUID) -> SQL { "\(fragment: JobRows.ofSystem) WHERE id = \(id)" }
}

extension SystemJobChoice {
    var choice: JobOrders.Choice {
        .init(company: companyId, ids: ids?.items, kind: kind?.text, queue: queue?.text)
    }
}
