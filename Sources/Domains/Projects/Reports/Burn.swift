import API
import Postgres
import Wire

/// What a report counts in.
enum WorkUnit: String, Codable, CaseIterable, Sendable {
    case points, count, hours

    /// The whole number the history keeps of it (hundredths of points, tasks, minutes), of one side of a step.
    func weight(_ side: String) -> SQL {
        switch self {
        case .points: "(e.points_\(unescaped: side) * 100)::int"
        case .count: "e.count_\(unescaped: side)"
        case .hours: "e.minutes_\(unescaped: side)"
        }
    }

    func value(_ whole: Int) -> Double {
        switch self {
        case .points: Double(whole) / 100
        case .count: Double(whole)
        case .hours: (Double(whole) / 60 * 100).rounded() / 100
        }
    }

    var label: String { self == .count ? "tasks" : rawValue }
}

/// What the history of a sprint says of one local day, in whole numbers of a unit.
struct BurnStep: Sendable, Equatable {
    var day: LocalDate
    /// How the scope changed before the start.
    var planned = 0
    var added = 0
    var removed = 0
    var done = 0
}

/// How a sprint went, day by day.
struct Burn: Codable, Sendable, Equatable {
    struct Day: Codable, Sendable, Equatable {
        let day: LocalDate
        let isWorkingDay: Bool
        /// What would be left at its end if the commitment were worked off evenly.
        let ideal: Double
        let added: Double
        let removed: Double
        let scope: Double?
        let done: Double?
        let remaining: Double?
    }

    let sprintId: UUID
    let name: String
    let status: SprintStatus
    let unit: WorkUnit
    let timeZone: String
    let startsOn: LocalDate
    let endsOn: LocalDate
    let committed: Double
    let days: [Day]
}

extension Burn: FieldNotes {
    static var fieldNotes: [String: String] {
        ["committed": "What was in the sprint when it was started; until then, what is in it now."]
    }
}

extension Burn.Day: FieldNotes {
    static var fieldNotes: [String: String] {
        [
            "ideal":
                "What would be left at the end of the day if the commitment were worked off evenly on working days.",
            "scope": "What was in the sprint at the end of the day; null for days to come.",
            "remaining": "Scope without what is done.",
            "added": "What came into the scope on this day after the start, also by a higher estimate.",
            "removed":
                "What left the scope on this day after the start, also by a lower estimate or by being cancelled.",
        ]
    }
}

/// A sprint as its burn charts need it.
struct BurnFrame: Sendable {
    var sprintId: UUID
    var name: String
    var status: SprintStatus
    var unit: WorkUnit
    var timeZone: String
    var startsOn: LocalDate
    var endsOn: LocalDate
    var workingDays: WorkingDays
    /// The last day something is known of: that of its end, today while it runs.
    var knownThrough: LocalDate
}

extension Burn {
    /// Adds up the steps. A day's values are those at its end; steps before the first day are its beginning.
    init(_ frame: BurnFrame, _ steps: [BurnStep]) {
        let committed = steps.reduce(0) { $0 + $1.planned }
        let last = max(frame.endsOn, frame.status == .planned ? frame.endsOn : frame.knownThrough)
        let planned = frame.startsOn.days(through: frame.endsOn)
        // A sprint over a weekend alone is worked off by calendar days.
        let worked = planned.filter(frame.workingDays.contains)
        let ideals = Set(worked.isEmpty ? planned : worked)
        let byDay = Dictionary(grouping: steps) { max($0.day, frame.startsOn) }
        var (scope, done, idealDays) = (0, 0, 0)
        days = frame.startsOn.days(through: last).map { day in
            let today = byDay[day] ?? []
            let (added, removed) = (today.reduce(0) { $0 + $1.added }, today.reduce(0) { $0 + $1.removed })
            scope += today.reduce(0) { $0 + $1.planned } + added - removed
            done += today.reduce(0) { $0 + $1.done }
            if ideals.contains(day) { idealDays += 1 }
            let isKnown = day <= frame.knownThrough
            let value = frame.unit.value
            return Day(
                day: day, isWorkingDay: frame.workingDays.contains(day),
                ideal: value(committed) * Double(ideals.count - idealDays) / Double(ideals.count),
                added: value(added), removed: value(removed),
                scope: isKnown ? value(scope) : nil, done: isKnown ? value(done) : nil,
                remaining: isKnown ? value(scope - done) : nil)
        }
        sprintId = frame.sprintId
        name = frame.name
        status = frame.status
        unit = frame.unit
        timeZone = frame.timeZone
        startsOn = frame.startsOn
        endsOn = frame.endsOn
        self.committed = frame.unit.value(committed)
    }
}
