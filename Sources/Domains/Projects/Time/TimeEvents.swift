import Core
import Postgres
import Wire

/// What others may react to about time.
enum TimeEvents {
    static let all = [
        started.erased, created.erased, updated.erased, deleted.erased, submitted.erased, approved.erased,
        rejected.erased,
    ]

    struct TimeEntryData: Codable, Sendable {
        let timeEntryId: UUID
        let projectId: UUID
        let taskId: UUID?
        let memberId: UUID
        let minutes: Int?
        let isBillable: Bool
    }

    private static func example(_ minutes: Int?) -> TimeEntryData {
        TimeEntryData(
            timeEntryId: ProjectEvents.someId, projectId: ProjectEvents.otherId, taskId: nil,
            memberId: ProjectEvents.otherId, minutes: minutes, isBillable: true)
    }

    static let started = EventType("time_entry.started", "A timer was started.", example: example(nil))
    static let created = EventType(
        "time_entry.created", "Time was entered, or a timer stopped.", example: example(90))
    static let updated = EventType("time_entry.updated", "Entered time changed.", example: example(75))
    static let deleted = EventType("time_entry.deleted", "Entered time was deleted.", example: example(75))

    struct TimesheetData: Codable, Sendable {
        let timesheetId: UUID
        let memberId: UUID
        let weekStartsOn: LocalDate
    }

    private static let week = TimesheetData(
        timesheetId: ProjectEvents.someId, memberId: ProjectEvents.otherId,
        weekStartsOn: LocalDate(year: 2026, month: 3, day: 2)!)
    static let submitted = EventType("timesheet.submitted", "A week of time was handed in.", example: week)
    static let approved = EventType("timesheet.approved", "A week of time was approved.", example: week)
    static let rejected = EventType("timesheet.rejected", "A week of time was sent back.", example: week)
}
