import Core
import Postgres
import Wire

/// What the reports look at in a task.
struct TaskImage: Sendable, Equatable {
    var id: UUID
    var projectId: UUID
    var stateId: UUID
    var category: StateCategory
    var sprintId: UUID?
    var pointsHundredths: Int?
    var estimateMinutes: Int?
    var isDeleted = false
}

/// The history of tasks, to which every change of them adds and from which nothing is ever taken.
enum TaskFlow {
    /// The statements that append to the history what a change of tasks means to the reports: to the flow of their
    /// projects and to the scope of their sprints. Send them in the transaction of the change, with the tasks locked.
    ///
    /// - Parameters:
    ///   - changes: `before` is nil for a new task. What changed nothing of an image adds nothing.
    ///   - at: when it happened, for work that is told afterwards (seeds, imports); the database's clock otherwise.
    static func sql(
        _ changes: [(before: TaskImage?, after: TaskImage)], by actor: Audit.Actor, company: UUID,
        at: Timestamp? = nil
    ) -> [SQL] {
        var flow: [JSON] = []
        var scope: [JSON] = []
        for (before, after) in changes where before != after {
            flow += moves(before, after).map(\.json)
            scope += ScopeStep.steps(before, after).map { $0.json(task: after.id) }
        }
        var statements: [SQL] = []
        if !flow.isEmpty { statements.append(flowInsert(.array(flow), actor, company, at)) }
        if !scope.isEmpty { statements.append(scopeInsert(.array(scope), actor, company, at)) }
        return statements
    }

    /// One row of a project's flow: the task as it is there from now on, or that it is there no longer.
    private struct Move {
        let image: TaskImage
        let was: StateCategory?
        let now: StateCategory?

        var json: JSON {
            [
                "id": .string(UUID.v7().description), "project": .string(image.projectId.description),
                "task": .string(image.id.description), "was": .text(was?.rawValue),
                "now": .text(now?.rawValue),
                "state": now == nil ? .null : .string(image.stateId.description),
                "sprint": now == nil ? .null : .text(image.sprintId?.description),
                "points": image.pointsHundredths.map { .number(.init($0)) } ?? .null,
                "minutes": image.estimateMinutes.map { .number(.init($0)) } ?? .null,
            ]
        }
    }

    private static func moves(_ before: TaskImage?, _ after: TaskImage) -> [Move] {
        let was = before.flatMap { $0.isDeleted ? nil : $0.category }
        let now = after.isDeleted ? nil : after.category
        guard let before, before.projectId != after.projectId else {
            return was == nil && now == nil ? [] : [Move(image: after, was: was, now: now)]
        }
        var moves: [Move] = []
        if was != nil { moves.append(Move(image: before, was: was, now: nil)) }
        if now != nil { moves.append(Move(image: after, was: nil, now: now)) }
        return moves
    }

    private static func flowInsert(_ rows: JSON, _ actor: Audit.Actor, _ company: UUID, _ at: Timestamp?)
        -> SQL
    {
        """
        INSERT INTO task_flow (company_id, id, at, project_id, task_id, category_before, category, state_id, sprint_id,
                               points, estimate_minutes, entered_at, started_at, actor_kind, actor_id)
        SELECT \(company), r.id, clock.at, r.project, r.task, r.was, r.now, r.state, r.sprint, r.points / 100.0, r.minutes,
               coalesce(earlier.entered_at, clock.at),
               coalesce(earlier.started_at, CASE WHEN r.now IN ('started', 'completed') THEN clock.at END),
               \(actor.kind), \(actor.id)::uuid
          FROM jsonb_to_recordset(\(JSONText(rows))::jsonb)
                   AS r(id uuid, project uuid, task uuid, was text, now text, state uuid, sprint uuid,
                        points integer, minutes integer)
         CROSS JOIN (SELECT coalesce(\(at)::timestamptz, clock_timestamp()) AS at) clock
         CROSS JOIN LATERAL (
            SELECT min(f.entered_at) AS entered_at, min(f.started_at) AS started_at FROM task_flow f
             WHERE f.company_id = \(company) AND f.task_id = r.task) earlier
        """
    }

    private static func scopeInsert(_ rows: JSON, _ actor: Audit.Actor, _ company: UUID, _ at: Timestamp?)
        -> SQL
    {
        """
        INSERT INTO sprint_events (company_id, id, at, sprint_id, task_id, kind, count_before, count_after,
                                   points_before, points_after, minutes_before, minutes_after, done_before, done_after,
                                   actor_kind, actor_id)
        SELECT \(company), r.id, coalesce(\(at)::timestamptz, clock_timestamp()), r.sprint, r.task, r.kind,
               r.count_before, r.count_after, r.points_before / 100.0, r.points_after / 100.0,
               r.minutes_before, r.minutes_after, r.done_before, r.done_after, \(actor.kind), \(actor.id)::uuid
          FROM jsonb_to_recordset(\(JSONText(rows))::jsonb)
                   AS r(id uuid, sprint uuid, task uuid, kind text, count_before smallint, count_after smallint,
                        points_before integer, points_after integer, minutes_before integer, minutes_after integer,
                        done_before boolean, done_after boolean)
        """
    }
}

extension JSON {
    fileprivate static func text(_ value: String?) -> JSON { value.map { .string($0) } ?? .null }
}
