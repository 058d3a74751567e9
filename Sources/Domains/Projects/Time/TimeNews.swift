import API
import Core
import Postgres
import Wire

/// What people are told about weeks of time and about money.
enum TimeNews {
    static let all = [timesheetSubmitted, timesheetDecided, budgetReached]

    static let timesheetSubmitted = NotificationType(
        "timesheet.submitted", category: "time", summary: "Somebody has handed a week of time in.",
        channels: [.inApp], values: ["member", "week"],
        texts: [
            "en": .init("{{member}} has handed a week in", "The week of {{week}} waits for approval."),
            "de": .init(
                "{{member}} hat eine Woche eingereicht", "Die Woche ab {{week}} wartet auf Freigabe."),
        ])

    static let timesheetDecided = NotificationType(
        "timesheet.decided", category: "time", summary: "A week of your time was approved or sent back.",
        channels: [.inApp], values: ["week", "verdict", "note"],
        texts: [
            "en": .init("Your week of {{week}}: {{verdict}}", "{{note}}"),
            "de": .init("Ihre Woche ab {{week}}: {{verdict}}", "{{note}}"),
        ])

    static let budgetReached = NotificationType(
        "project.budget_reached", category: "projects",
        summary: "A project has used up a part of its budget.",
        severity: .high, values: ["project", "percent"],
        texts: [
            "en": .init(
                "{{project}} has used {{percent}} % of its budget", "See what is left before going on."),
            "de": .init("{{project}} hat {{percent}} % des Budgets verbraucht", "Prüfen Sie, was übrig ist."),
        ])

    @inline(never)
    static func submitted(_ sheet: Timesheets.Found, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        let rows = try await tx.query("SELECT name FROM users WHERE id = \(sheet.user)")
        let values: JSON = [
            "member": .string(try rows.first?.get("name") ?? ""), "week": .string(sheet.week.description),
        ]
        let news = News(
            timesheetSubmitted, about: .init("timesheet", sheet.id), values: values, by: call.actor)
        try await Notify.record(news, to: .roles(["owner", "admin"]), company: company, in: tx)
    }

    @inline(never)
    static func decided(
        _ sheet: Timesheets.Found, _ verdict: TimesheetStatus, _ note: String?, _ call: Call,
        _ tx: Transaction
    ) async throws {
        let company = try call.company
        let values: JSON = [
            "week": .string(sheet.week.description), "verdict": .string(verdict.rawValue),
            "note": .string(note ?? ""),
        ]
        let news = News(timesheetDecided, about: .init("timesheet", sheet.id), values: values, by: call.actor)
        try await Notify.record(news, to: .users([sheet.user], as: "member"), company: company, in: tx)
    }
}
