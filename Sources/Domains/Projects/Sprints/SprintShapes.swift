import API
import Postgres
import Wire

enum SprintStatus: String, Codable, CaseIterable, SQLBindable, SQLBindableElement, RowValue, Sendable {
    case planned, active, closed
}

/// A stretch of time with what is to be done in it.
struct Sprint: Codable, Sendable {
    let id: UUID
    let projectId: UUID
    let name: String
    let goal: String?
    let status: SprintStatus
    let startsOn: LocalDate
    let endsOn: LocalDate
    let startedAt: Timestamp?
    let closedAt: Timestamp?
    let isParallel: Bool
    let taskCount: Int
    let doneCount: Int
    let points: Double
    let donePoints: Double
    let version: Int
    let createdAt: Timestamp
    let updatedAt: Timestamp
}

extension Sprint: FieldNotes {
    static var fieldNotes: [String: String] {
        [
            "starts_on": "The first day, in the project's time zone.", "ends_on": "The last day.",
            "is_parallel": "It runs beside others, as the project allows.",
            "task_count": "The tasks in it now that are not cancelled.",
        ]
    }
}

struct NewSprint: Codable, Sendable {
    let name: Text<120>
    let goal: Prose<2000>?
    let startsOn: LocalDate
    let endsOn: LocalDate
}

struct SprintChange: Codable, Sendable {
    let name: Text<120>?
    let goal: Clearable<Prose<2000>>
    let startsOn: LocalDate?
    let endsOn: LocalDate?
}

struct SprintDates: Codable, Sendable {
    let startsOn: LocalDate
    let endsOn: LocalDate
    /// The sprint that is to be moved there, which is not in its own way.
    let sprintId: UUID?
}

struct SprintDatesCheck: Codable, Sendable {
    let isFree: Bool
    let workingDays: Int
    let conflicts: [SprintReference]
}

struct SprintReference: Codable, Sendable {
    let id: UUID
    let name: String
    let startsOn: LocalDate
    let endsOn: LocalDate
}

struct SprintSettings: Codable, Sendable {
    let projectId: UUID
    let allowsParallel: Bool
    let workingDays: [Int]
    let version: Int
}

extension SprintSettings: FieldNotes {
    static var fieldNotes: [String: String] {
        [
            "allows_parallel": "Sprints may overlap and several may be active at once.",
            "working_days": "Weekdays, Monday is 1; the ideal line and capacities count them alone.",
        ]
    }
}

struct SprintSettingsChange: Codable, Sendable {
    let allowsParallel: Bool?
    let workingDays: UpTo<7, Whole<1, 7>>?
}

/// Where the work goes that is not done at the end.
struct SprintClosing: Codable, Sendable {
    enum Destination: String, Codable, CaseIterable, Sendable {
        case backlog, sprint
        case newSprint = "new_sprint"
        case stay
    }

    let unfinished: Destination
    /// For `sprint`.
    let sprintId: UUID?
    /// For `new_sprint`.
    let newSprint: NewSprint?
}

struct ClosedSprint: Codable, Sendable {
    let sprint: Sprint
    let report: SprintReport
    /// The sprint that took the unfinished work over.
    let carriedTo: UUID?
}

struct SprintTaskIds: Codable, Sendable {
    let taskIds: UpTo<200, UUID>
}

struct SprintTasksMoved: Codable, Sendable {
    let sprintId: UUID
    /// Those that were not where they are now.
    let moved: Int
}

/// One step of the scope.
struct ScopeChange: Codable, Sendable {
    let id: UUID
    let at: Timestamp
    let taskId: UUID
    let key: String?
    let title: String?
    let kind: ScopeKind
    let isPlanning: Bool
    let countBefore: Int
    let countAfter: Int
    let pointsBefore: Double
    let pointsAfter: Double
    let minutesBefore: Int
    let minutesAfter: Int
    let isDoneBefore: Bool
    let isDoneAfter: Bool
    let actorKind: String
    let actorId: UUID?
}

extension ScopeChange: FieldNotes {
    static var fieldNotes: [String: String] {
        [
            "is_planning":
                "It happened before the sprint was started, so it is no change of what was committed to.",
            "count_before": "1 when the task counted in the scope, 0 when it did not.",
            "key": "Null when the task is gone.",
        ]
    }
}
