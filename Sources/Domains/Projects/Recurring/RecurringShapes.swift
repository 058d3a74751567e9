import API
import Postgres
import Wire

/// A task that comes again by a rule.
struct RecurringTask: Codable, Sendable {
    let id: UUID
    let projectId: UUID
    let title: String
    let task: RecurringTemplate
    let frequency: RecurrenceFrequency
    let every: Int
    let weekdays: [Int]
    let dayOfMonth: Int?
    let at: String
    let timeZone: String
    let startsOn: LocalDate
    let endsOn: LocalDate?
    let occurrencesMax: Int?
    let occurrences: Int
    let nextOn: LocalDate?
    let nextAt: Timestamp?
    let pausedAt: Timestamp?
    let lastError: String?
    let version: Int
    let createdAt: Timestamp
    let updatedAt: Timestamp
}

extension RecurringTask: FieldNotes {
    static var fieldNotes: [String: String] {
        [
            "at": "The time of day, on the clock of its zone, at which each task is made.",
            "next_on": "The day of the next one; null when there is none any more.",
            "last_error": "Why the last one could not be made; null when it was.",
        ]
    }
}

/// What each task of a rule is made of.
struct RecurringTemplate: Codable, Sendable {
    let description: Prose<20_000>?
    let type: TaskType?
    let stateId: UUID?
    let priority: TaskPriority?
    let assigneeIds: UpTo<20, UUID>?
    let points: Points?
    let estimateMinutes: Minutes?
    let dueAfterDays: Whole<0, 365>?
    let dueTime: DayTime?
}

extension RecurringTemplate: FieldNotes {
    static var fieldNotes: [String: String] {
        [
            "due_after_days":
                "The task is due so many days after its day; 0 on the day itself. Without it, it has no due date."
        ]
    }
}

struct NewRecurringTask: Codable, Sendable {
    let projectId: UUID
    let title: Text<250>
    let task: RecurringTemplate?
    let frequency: RecurrenceFrequency
    let every: Whole<1, 366>?
    let weekdays: UpTo<7, Weekday>?
    let dayOfMonth: DayOfMonth?
    let at: DayTime?
    let timeZone: TimeZoneName?
    let startsOn: LocalDate
    let endsOn: LocalDate?
    let occurrencesMax: Whole<1, 10_000>?
}

extension NewRecurringTask: FieldNotes {
    static var fieldNotes: [String: String] { RecurringTaskChange.fieldNotes }
}

struct RecurringTaskChange: Codable, Sendable {
    let title: Text<250>?
    let task: RecurringTemplate?
    let frequency: RecurrenceFrequency?
    let every: Whole<1, 366>?
    let weekdays: UpTo<7, Weekday>?
    let dayOfMonth: Clearable<DayOfMonth>
    let at: DayTime?
    let timeZone: TimeZoneName?
    let endsOn: Clearable<LocalDate>
    let occurrencesMax: Clearable<Whole<1, 10_000>>
}

extension RecurringTaskChange: FieldNotes {
    static var fieldNotes: [String: String] {
        [
            "every": "Every so many days, weeks or months.",
            "weekdays": "For `weekly`: 1 for Monday to 7 for Sunday; the weekday of the start when absent.",
            "day_of_month":
                "For `monthly`: 1 to 31, or -1 for the last day; a month that is shorter ends with its last day.",
            "at": "When each task is made; 06:00 when absent.",
            "time_zone": "Whose clock `at` is read from; the project's when absent.",
        ]
    }
}

typealias Weekday = Whole<1, 7>
/// A day of the month, counted from its beginning, or -1 for its last.
struct DayOfMonth: NumberValue, SQLBindable {
    let value: Int
    init(unchecked value: Int) { self.value = value }

    static var schema: Schema {
        Schema(.integer(IntegerRule(-1...31)), note: "1 to 31, or -1 for the last day.", example: 15)
    }
    static var sample: DayOfMonth { DayOfMonth(unchecked: 15) }
}
