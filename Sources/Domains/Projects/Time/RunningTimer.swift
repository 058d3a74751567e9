import API
import Core
import Postgres
import Wire

/// The one clock of each member that may run.
enum RunningTimer {
    @RouteList static var routes: [Route] {
        GET("/v1/timer", "See my running timer", .can(.projectsRead), read).operation("getMyTimer")
            .problems(.timerNotRunning)
        POST("/v1/timer/start", "Start my timer", .can(.projectsRead), start).operation("startMyTimer")
            .problems(.timesheetLocked, .projectArchived, .timerRunning)
            .describe(
                "The one that runs is stopped first. Two starts at the same moment: one of them is 409."
            )
            .example(body: ["task_id": "0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a20", "note": "Review"])
        POST("/v1/timer/stop", "Stop my timer", .can(.projectsRead), stop).operation("stopMyTimer")
            .problems(.timerNotRunning)
            .describe("At least a minute is entered, and never more than a day.")
    }

    struct TimerStart: Codable, Sendable {
        let projectId: UUID?
        let taskId: UUID?
        let isBillable: Bool?
        let note: Prose<2000>?
    }

    static func read(_ call: Call) async throws -> Single<TimeEntry> {
        let rows = try await call.db.query(
            "\(fragment: TimeEntries.select(call)) AND e.member_id = \(call.member) AND e.minutes IS NULL")
        if rows.isEmpty { throw Problem(.timerNotRunning) }
        return try Single(rows)
    }

    static func start(_ call: Call, _ body: Body<TimerStart>) async throws -> Created<TimeEntry> {
        let (order, id) = (body.value, UUID.v7())
        try await call.db.transaction { tx in try await begin(order, id, call, tx) }
        return try Created(await TimeEntries.rows(id, call), at: "/v1/time-entries/\(id)")
    }

    @inline(never)
    private static func begin(_ order: TimerStart, _ id: UUID, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        let place = try await TimeWriting.place(
            project: order.projectId, task: order.taskId, member: nil, call, tx)
        _ = try await TimeWriting.stopRunning(of: place.member, by: call.actor, company, tx)
        try await TimeWriting.insert(
            id, at: place, from: call.now, minutes: nil, isBillable: order.isBillable, note: order.note?.text,
            company, tx)
        try await TimeWriting.tell(TimeEvents.started, nil, of: id, by: call.actor, company, tx)
    }

    static func stop(_ call: Call) async throws -> Single<TimeEntry> {
        let (company, member, actor) = (try call.company, try call.member, call.actor)
        let id = try await call.db.transaction { tx in
            try await TimeWriting.stopRunning(of: member, by: actor, company, tx)
        }
        guard let id else { throw Problem(.timerNotRunning) }
        return try Single(await TimeEntries.rows(id, call))
    }
}
