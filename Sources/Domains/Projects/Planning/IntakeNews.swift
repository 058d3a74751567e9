import API
import Core
import Postgres
import Wire

/// What is told about requests: to those who decide, to those who asked, and to programs.
enum IntakeNews {
    static let all = [requestMade, requestDecided]
    static let events = [received.erased, accepted.erased, declined.erased]

    static let watchables = [
        Watchable("intake_request", .projectsRead) {
            "SELECT 1 FROM intake_requests WHERE company_id = \($1) AND id = \($0)"
        }
    ]

    struct RequestData: Codable, Sendable {
        let requestId: UUID
        let projectId: UUID
        let title: String
        let taskId: UUID?
    }

    private static func example(task: UUID?) -> RequestData {
        RequestData(
            requestId: ProjectEvents.someId, projectId: ProjectEvents.otherId, title: "The menu as a PDF",
            taskId: task)
    }

    static let received = EventType(
        "intake.received", "Something was asked of a project.", example: example(task: nil))
    static let accepted = EventType(
        "intake.accepted", "A request became a task.", example: example(task: ProjectEvents.someId))
    static let declined = EventType(
        "intake.declined", "A request was declined, or is asked already by the task it names.",
        example: example(task: nil))

    static func event(_ status: Intake.Status) -> EventType<RequestData>? {
        switch status {
        case .pending: received
        case .snoozed: nil
        case .accepted: accepted
        case .declined, .duplicate: declined
        }
    }

    static let requestMade = NotificationType(
        "intake.received", category: "projects", summary: "Something was asked of a project you lead.",
        channels: [.inApp], values: ["project", "title"],
        texts: [
            "en": .init("{{project}}: {{title}}", "A request waits for your decision."),
            "de": .init("{{project}}: {{title}}", "Eine Anfrage wartet auf Ihre Entscheidung."),
        ])

    static let requestDecided = NotificationType(
        "intake.decided", category: "projects", summary: "What you asked of a project was decided.",
        channels: [.inApp], values: ["title", "verdict", "note"],
        texts: [
            "en": .init("{{title}}: {{verdict}}", "{{note}}"),
            "de": .init("{{title}}: {{verdict}}", "{{note}}"),
        ])

    @inline(never)
    static func asked(
        _ id: UUID, _ title: String, of head: ProjectHead, by actor: Audit.Actor, _ company: UUID,
        _ tx: Transaction
    ) async throws {
        let leads = try await tx.query(
            "SELECT user_id FROM memberships WHERE company_id = \(company) AND id = \(head.leadId)")
        let news = News(
            requestMade, about: .init("intake_request", id),
            values: ["project": .string(head.name), "title": .string(title)], by: actor)
        let audience = Notify.Audience.users(try leads.map { try $0.get("user_id") }, as: "lead")
        try await Notify.record(news, to: audience, company: company, in: tx)
    }

    @inline(never)
    static func decided(
        _ request: Intake.Found, _ verdict: Intake.Status, _ note: String?, by actor: Audit.Actor,
        _ company: UUID,
        _ tx: Transaction
    ) async throws {
        let users = try await tx.query(
            "SELECT user_id FROM memberships WHERE company_id = \(company) AND id = \(request.requester)")
        let values: JSON = [
            "title": .string(request.title), "verdict": .string(verdict.rawValue),
            "note": .string(note ?? ""),
        ]
        let news = News(requestDecided, about: .init("intake_request", request.id), values: values, by: actor)
        let audience = Notify.Audience.users(try users.map { try $0.get("user_id") }, as: "requester")
        try await Notify.record(news, to: audience, company: company, in: tx)
    }
}
