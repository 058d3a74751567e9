import API
import Postgres
import Wire

/// Time somebody has worked, or is working now.
struct TimeEntry: Codable, Sendable, FieldNotes {
    let id: UUID
    let projectId: UUID
    let projectKey: String
    let taskId: UUID?
    let taskKey: String?
    let taskTitle: String?
    let memberId: UUID
    let memberName: String
    let startedAt: Timestamp
    let workedOn: LocalDate
    let minutes: Int?
    let isRunning: Bool
    let isBillable: Bool
    let rateMinor: Int64?
    let currency: String?
    let note: String?
    let isLocked: Bool
    let version: Int
    let createdAt: Timestamp
    let updatedAt: Timestamp

    static let fieldNotes = [
        "task_key": "Null when the task is gone.",
        "worked_on": "The day it was begun, in the project's time zone.",
        "minutes": "Null while the timer runs.",
        "rate_minor":
            "For an hour, in the smallest unit of the currency, as it was when the time was worked.",
        "is_locked": "Its week has been submitted or approved.",
    ]
}

struct NewTimeEntry: Codable, Sendable, FieldNotes {
    let projectId: UUID?
    let taskId: UUID?
    let memberId: UUID?
    let startedAt: Timestamp
    let minutes: Whole<1, 1440>
    let isBillable: Bool?
    let note: Prose<2000>?

    static let fieldNotes = [
        "project_id": "Not needed beside `task_id`.",
        "member_id": "Oneself when absent; another takes time:manage or the right to manage the project.",
    ]
}

struct TimeEntryChange: Codable, Sendable {
    let startedAt: Timestamp?
    let minutes: Whole<1, 1440>?
    let isBillable: Bool?
    let note: Clearable<Prose<2000>>
    let rateMinor: Cents?
}

enum TimesheetStatus: String, Codable, CaseIterable, SQLBindable, SQLBindableElement, RowValue, Sendable {
    case open, submitted, approved, rejected
}
