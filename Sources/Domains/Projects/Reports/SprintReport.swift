import API
import Postgres
import Wire

/// How much there is of something, in tasks, points and minutes.
struct WorkTotals: Codable, Sendable, Equatable {
    var count = 0
    var points = 0.0
    var minutes = 0

    mutating func add(_ weight: WorkTotals) {
        count += weight.count
        points += weight.points
        minutes += weight.minutes
    }
}

/// What a sprint came to.
struct SprintReport: Codable, Sendable, Equatable {
    enum Outcome: String, Codable, CaseIterable, Sendable {
        case done, removed, cancelled
        case carriedOver = "carried_over"
    }

    struct Task: Codable, Sendable, Equatable {
        let taskId: UUID
        let key: String?
        let title: String?
        let points: Double
        let minutes: Int
        let outcome: Outcome
        let isCommitted: Bool
    }

    let sprintId: UUID
    /// The closing that froze it, counted from 1; null while the sprint runs.
    let closing: Int?
    let frozenAt: Timestamp?
    let committed: WorkTotals
    let added: WorkTotals
    let removed: WorkTotals
    let cancelled: WorkTotals
    let done: WorkTotals
    let carriedOver: WorkTotals
    let tasks: [Task]

    var unfinished: [UUID] { tasks.filter { $0.outcome == .carriedOver }.map(\.taskId) }
}

extension SprintReport: FieldNotes {
    static var fieldNotes: [String: String] {
        [
            "closing": "Which closing of the sprint froze it, counted from 1; null while the sprint runs.",
            "committed": "What was in the sprint when it was started, as it was estimated then.",
            "added": "What came in after the start, whatever became of it, as it was estimated last.",
            "removed": "What was taken out after the start.",
            "done": "What counted as done at the end.",
            "carried_over": "What was in it at the end and not done; open work while the sprint runs.",
        ]
    }
}

/// What the history of a sprint says of one task.
struct TaskScope: Decodable, Sendable, Equatable {
    var taskId: UUID
    var key: String?
    var title: String?
    /// What it counted when the sprint was started.
    var committedCount: Int
    var committedPoints: Double
    var committedMinutes: Int
    /// What it counts at the end.
    var count: Int
    var points: Double
    var minutes: Int
    /// What it counted before its last step: of use when it counts nothing any more.
    var lastPoints: Double
    var lastMinutes: Int
    var lastKind: ScopeKind
    var isDone: Bool
}

extension SprintReport {
    /// Sums up what the history says of each task that has been in the sprint since its start.
    init(of sprint: UUID, closing: Int?, frozenAt: Timestamp?, _ scopes: [TaskScope]) {
        var committed = WorkTotals()
        var added = WorkTotals()
        var ends: [Outcome: WorkTotals] = [:]
        var tasks: [Task] = []
        for scope in scopes {
            let isCommitted = scope.committedCount > 0
            let isIn = scope.count > 0
            let weight = WorkTotals(
                count: 1, points: isIn ? scope.points : scope.lastPoints,
                minutes: isIn ? scope.minutes : scope.lastMinutes)
            if isCommitted {
                committed.add(
                    WorkTotals(count: 1, points: scope.committedPoints, minutes: scope.committedMinutes))
            } else {
                added.add(weight)
            }
            let outcome: Outcome =
                isIn
                ? (scope.isDone ? .done : .carriedOver)
                : (scope.lastKind == .cancelled ? .cancelled : .removed)
            ends[outcome, default: WorkTotals()].add(weight)
            tasks.append(
                Task(
                    taskId: scope.taskId, key: scope.key, title: scope.title, points: weight.points,
                    minutes: weight.minutes, outcome: outcome, isCommitted: isCommitted))
        }
        self.init(
            sprintId: sprint, closing: closing, frozenAt: frozenAt, committed: committed, added: added,
            removed: ends[.removed] ?? .init(), cancelled: ends[.cancelled] ?? .init(),
            done: ends[.done] ?? .init(),
            carriedOver: ends[.carriedOver] ?? .init(), tasks: tasks)
    }
}
