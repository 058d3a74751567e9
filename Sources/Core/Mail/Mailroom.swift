import API
import Outbound
import Postgres
import Wire

/// Sends what the domains queue, and shows developers what would be sent.
public enum Mailroom: Domain {
    public static let name = "Mail"
    public static let summary = "The development outbox."

    @RouteList public static var routes: [Route] {
        GET("/v1/dev/outbox", "See the mails that would be sent", .open, outbox)
            .describe("Only in development and without a mail server: newest first.")
            .developmentOnly.secret.rate(.none)
    }

    public static let workers = [
        Worker("mail", every: .seconds(5), wakeUp: Mail.channel) { try await sendDue($0) },
        Worker.single("mail-trim", every: .seconds(3600)) { work in
            try await MailQueue.trim(work.database)
            try await AccessChange.trim(work.database)
            return .idle
        },
    ]

    /// One round: claims some mails and sends them side by side.
    static func sendDue(_ work: Work) async throws -> Worker.Round {
        guard let transport = work.environment.find(MailTransport.self) else { return .idle }
        let claimed = try await MailQueue.claim(work.database)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for mail in claimed {
                group.addTask {
                    let outcome = await transport.send(mail)
                    try await settle(mail, outcome, work)
                }
            }
            try await group.waitForAll()
        }
        if claimed.count == MailQueue.claimedAtOnce && !work.isStopping { return .more }
        let waiting = try await MailQueue.waiting(work.database)
        work.figures.waiting(in: "mail", waiting.count, oldestSeconds: waiting.oldestSeconds)
        return .idle
    }

    private static func settle(_ mail: MailQueue.Claimed, _ outcome: MailOutcome, _ work: Work) async throws {
        switch outcome {
        case .accepted:
            work.figures.finished("mail", "sent")
            try await MailQueue.sent(mail, work.database)
        case .temporaryFailure(let reason):
            work.figures.finished("mail", "put_back")
            work.log.warning(
                "a mail could not be sent yet", metadata: ["mail": "\(mail.id)", "reason": "\(reason)"])
            try await MailQueue.failed(mail, reason, isPermanent: false, work.database)
        case .permanentFailure(let reason):
            work.figures.finished("mail", "given_up")
            work.log.error("a mail was given up", metadata: ["mail": "\(mail.id)", "reason": "\(reason)"])
            try await MailQueue.failed(mail, reason, isPermanent: true, work.database)
        }
    }

    struct OutboxQuery: Codable, Sendable {
        let to: Email?
        let limit: Whole<1, 100>?
    }

    struct OutboxMail: Codable, Sendable {
        let id: UUID
        let template: String
        let to: String
        let locale: String
        let subject: String
        let text: String
        let html: String
        let context: [String: String]
        let createdAt: Timestamp
    }

    struct Outbox: Codable, Sendable {
        let data: [OutboxMail]
    }

    static func outbox(_ call: Call, _ query: Query<OutboxQuery>) async throws -> Single<Outbox> {
        if call.environment.find(MailTransport.self) != nil {
            throw Problem.notFound("There is a mail server: mails go out by it.")
        }
        let to = query.to?.normalized
        let rows = try await call.db.query(
            """
            SELECT id, template, to_address, locale, context::text AS context, created_at
              FROM mail_queue
             WHERE state = 'queued' AND (\(to)::text IS NULL OR lower(to_address) = \(to))
             ORDER BY created_at DESC, id DESC
             LIMIT \(query.limit?.value ?? 50)
            """)
        return Single(Outbox(data: try rows.compactMap(shown)))
    }

    private static func shown(_ row: Row) throws -> OutboxMail? {
        let name: String = try row.get("template")
        guard let template = MailTemplate(rawValue: name) else { return nil }
        let locale: String = try row.get("locale")
        let context = try MailQueue.values(row.get("context"))
        let mail = try MailRenderer.render(template, locale: locale, context: context)
        return OutboxMail(
            id: try row.get("id"), template: name, to: try row.get("to_address"), locale: locale,
            subject: mail.subject,
            text: mail.text, html: mail.html, context: context, createdAt: try row.get("created_at"))
    }
}
