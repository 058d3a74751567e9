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
                group.addTask { try await send(mail, by: transport, work) }
            }
            try await group.waitForAll()
        }
        if claimed.count == MailQueue.claimedAtOnce && !work.isStopping { return .more }
        let waiting = try await MailQueue.waiting(work.database)
        work.figures.waiting(mails: .init(count: waiting.count, oldestSeconds: waiting.oldestSeconds))
        return .idle
    }

    private static func send(_ mail: MailQueue.Claimed, by transport: MailTransport, _ work: Work)
        async throws
    {
        if let company = mail.company, let watch = watch(of: mail, work) {
            let isWanted = try await watch.isWanted(mail.id, company, work.database)
            if !isWanted {
                work.figures.finished("mail", "dropped")
                _ = try await work.database.query(MailQueue.drop(mail))
                return
            }
        }
        let outcome = await transport.send(mail)
        try await settle(mail, outcome, work)
    }

    /// News alone is followed; a password's reset is nobody else's business.
    private static func watch(of mail: MailQueue.Claimed, _ work: Work) -> MailWatch? {
        mail.template == MailTemplate.notification.rawValue ? work.environment.find(MailWatch.self) : nil
    }

    private static func settle(_ mail: MailQueue.Claimed, _ outcome: MailOutcome, _ work: Work) async throws {
        let told: (MailWatch.Attempt.Outcome, String)
        let settlement: SQL
        switch outcome {
        case .accepted:
            work.figures.finished("mail", "sent")
            (told, settlement) = ((.accepted, "accepted"), MailQueue.sent(mail))
        case .temporaryFailure(let reason):
            work.figures.finished("mail", "put_back")
            work.log.warning(
                "a mail could not be sent yet", metadata: ["mail": "\(mail.id)", "reason": "\(reason)"])
            told = (mail.isLastAttempt ? .refused : .putBack, reason)
            settlement = MailQueue.failed(mail, reason, isPermanent: false)
        case .permanentFailure(let reason):
            work.figures.finished("mail", "given_up")
            work.log.error("a mail was given up", metadata: ["mail": "\(mail.id)", "reason": "\(reason)"])
            (told, settlement) = ((.refused, reason), MailQueue.failed(mail, reason, isPermanent: true))
        }
        guard let company = mail.company, let watch = watch(of: mail, work) else {
            _ = try await work.database.query(settlement)
            return
        }
        let attempt = MailWatch.Attempt(
            mail: mail.id, company: company, number: mail.attempt, outcome: told.0,
            reply: String(told.1.prefix(500)))
        // Together, so that the log of the delivery never says other than the queue.
        _ = try await work.database.batch([settlement] + watch.record(attempt), as: Tenant(company: company))
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
        let id: UUID = try row.get("id")
        let context = try MailSeal.values(JSON.parse(row.get("context", as: String.self)), of: id)
        let mail = try MailRenderer.render(template, locale: locale, context: context)
        return OutboxMail(
            id: id, template: name, to: try row.get("to_address"), locale: locale,
            subject: mail.subject,
            text: mail.text, html: mail.html, context: context, createdAt: try row.get("created_at"))
    }
}
