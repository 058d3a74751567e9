import Postgres
import Wire

/// What happened to the scope of a sprint.
enum ScopeKind: String, Codable, CaseIterable, SQLBindable, SQLBindableElement, RowValue, Sendable {
    case added, removed, estimate, completed, reopened, cancelled
}

/// One step of a sprint's scope: what one task counted before it and what it counts after.
struct ScopeStep: Equatable {
    /// What a task counts in the scope of a sprint; a cancelled one counts nothing, and is neither open nor done.
    struct Weight: Equatable {
        var count = 0
        var pointsHundredths = 0
        var minutes = 0
        var isDone = false

        init(_ image: TaskImage?, in sprint: UUID) {
            guard let image, image.sprintId == sprint, !image.isDeleted, image.category != .cancelled else {
                return
            }
            count = 1
            pointsHundredths = image.pointsHundredths ?? 0
            minutes = image.estimateMinutes ?? 0
            isDone = image.category == .completed
        }
    }

    let sprint: UUID
    let kind: ScopeKind
    let before: Weight
    let after: Weight

    /// The steps a change of a task makes: an estimate that changes along with the state is a step of its own.
    static func steps(_ before: TaskImage?, _ after: TaskImage) -> [ScopeStep] {
        var sprints: [UUID] = []
        for case let sprint? in [before?.sprintId, after.sprintId] where !sprints.contains(sprint) {
            sprints.append(sprint)
        }
        return sprints.flatMap { sprint -> [ScopeStep] in
            let wasIn = before.map { $0.sprintId == sprint && !$0.isDeleted } ?? false
            let isIn = after.sprintId == sprint && !after.isDeleted
            let old = Weight(before, in: sprint)
            let new = Weight(after, in: sprint)
            guard wasIn, isIn else {
                return step(sprint, isIn ? .added : .removed, old, new)
            }
            guard old.count == 1, new.count == 1 else {
                return step(sprint, new.count == 0 ? .cancelled : .reopened, old, new)
            }
            var between = new
            between.isDone = old.isDone
            return step(sprint, .estimate, old, between)
                + step(sprint, new.isDone ? .completed : .reopened, between, new)
        }
    }

    private static func step(_ sprint: UUID, _ kind: ScopeKind, _ before: Weight, _ after: Weight)
        -> [ScopeStep]
    {
        before == after ? [] : [ScopeStep(sprint: sprint, kind: kind, before: before, after: after)]
    }

    func json(task: UUID) -> JSON {
        [
            "id": .string(UUID.v7().description), "sprint": .string(sprint.description),
            "task": .string(task.description), "kind": .string(kind.rawValue),
            "count_before": .number(.init(before.count)), "count_after": .number(.init(after.count)),
            "points_before": .number(.init(before.pointsHundredths)),
            "points_after": .number(.init(after.pointsHundredths)),
            "minutes_before": .number(.init(before.minutes)), "minutes_after": .number(.init(after.minutes)),
            "done_before": .bool(before.isDone), "done_after": .bool(after.isDone),
        ]
    }
}
