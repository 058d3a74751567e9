import API
import Core
import Postgres
import Wire

/// Jobs that the clock enqueues.
enum Schedules {
    @RouteList static var routes: [Route] {
        GET("/v1/cron", "List the schedules", .operator, list).operation("listSchedules")
        PATCH("/v1/cron/{name}", "Pause a schedule, or let it go on", .operator, change).operation(
            "changeSchedule"
        )
        .describe("What falls due while it is paused is not made up for.")
        POST("/v1/cron/{name}/run", "Run a schedule now", .operator, run).operation("runSchedule")
            .describe(
                "Its job is enqueued at once, unless the last one is still unfinished; its times stay as they are."
            )
            .problems(.jobFinished)
        GET("/v1/cron/{name}/runs", "List the times a schedule came due, newest first", .operator, runs)
            .operation("listScheduleRuns")
    }

    struct Schedule: Codable, Sendable, FieldNotes {
        let name: String
        let expression: String
        let timeZone: String
        let kind: String
        let isPaused: Bool
        let nextAt: Timestamp?
        let lastAt: Timestamp?
        let version: Int

        static let fieldNotes = [
            "expression": "Minute, hour, day of month, month, day of week.",
            "last_at": "The last time it came due and was not paused.",
        ]
    }

    struct ScheduleChange: Codable, Sendable {
        let isPaused: Bool?
    }

    struct Run: Codable, Sendable, FieldNotes {
        let plannedAt: Timestamp
        let jobId: UUID?
        let at: Timestamp

        static let fieldNotes = [
            "planned_at": "The time it was due.", "at": "When an instance noticed.",
            "job_id": "None when the last job was still unfinished.",
        ]
    }

    struct Enqueued: Codable, Sendable {
        let jobId: UUID
    }

    static func list(_ call: Call) async throws -> Page<Schedule> {
        Page(
            all: try await call.db.query(
                "\(fragment: select) WHERE name = ANY (\(known(call))::text[]) ORDER BY name"))
    }

    static func change(
        _ call: Call, _ name: Path<Text<80>>, _ body: Patch<ScheduleChange>
    ) async throws -> Single<Schedule> {
        var changes = Changes()
        changes.set("is_paused", body.isPaused)
        let assignments = changes.sql
        try await call.db.transaction { tx in
            let rows = try await tx.query("SELECT version FROM crons WHERE name = \(name.text) FOR UPDATE")
            guard let row = rows.first else { throw Problem.notFound }
            try call.requireVersion(row.get("version"))
            _ = try await tx.query("UPDATE crons SET \(fragment: assignments) WHERE name = \(name.text)")
            _ = try await tx.batch(
                call.installationRecord("schedule.changed", of: name.text, try JSON(encoding: body.value)))
        }
        return try Single(await call.db.query("\(fragment: select) WHERE name = \(name.text)"))
    }

    static func run(_ call: Call, _ name: Path<Text<80>>) async throws -> Accepted<Enqueued> {
        guard let cron = call.environment[JobCatalogue.self].crons.first(where: { $0.name == name.text })
        else {
            throw Problem.notFound
        }
        let enqueuing = try cron.enqueue()
        let id = try await call.db.transaction { tx in
            let rows = try await tx.query(enqueuing)
            guard let id: UUID = try rows.first?.get("id") else {
                throw Problem.conflict(.conflict, "The last job of this schedule is still unfinished.")
            }
            _ = try await tx.batch(
                call.installationRecord("schedule.run", of: cron.name, ["job_id": .string(id.description)]))
            return id
        }
        return Accepted(Enqueued(jobId: id), at: "/v1/system/jobs/\(id)")
    }

    static func runs(_ call: Call, _ name: Path<Text<80>>) async throws -> Page<Run> {
        guard known(call).contains(name.text) else { throw Problem.notFound }
        return Page(
            all: try await call.db.query(
                """
                SELECT planned_at, job_id, at FROM cron_runs WHERE name = \(name.text)
                 ORDER BY planned_at DESC LIMIT 100
                """))
    }

    private static func known(_ call: Call) -> [String] {
        call.environment[JobCatalogue.self].crons.map(\.name)
    }

    private static let select: SQL =
        "SELECT name, expression, time_zone, kind, is_paused, next_at, last_at, version FROM crons"
}
