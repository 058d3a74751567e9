import Core
import Postgres
import Wire

/// Takes the news of one event to the people it is for, by one channel at a time.
struct Courier: Sendable {
    let company: UUID
    let type: NotificationType
    let routing: NotificationRouting
    /// The company's own words, by channel and language.
    let words: [String: [String: NotificationText]]
    let post: PostOffice
    let now: Timestamp

    /// Nil when nobody declares the type any more.
    static func load(
        for one: DeliveryCase, _ post: PostOffice, at now: Timestamp, _ company: UUID, in tx: Transaction
    ) async throws -> Courier? {
        guard let type = NotificationCatalogue.named(one.type) else { return nil }
        let rows = try await tx.query(
            """
            SELECT \(fragment: NotificationAudience.rules(company, type.patterns))::text AS rules,
                   \(fragment: NotificationAudience.defaults(company, one.category))::text AS defaults,
                   (SELECT coalesce(jsonb_agg(jsonb_build_array(channel, locale, title, body)), '[]')
                      FROM notification_templates
                     WHERE company_id = \(company) AND type = \(type.name) AND is_active)::text AS words
            """)
        let routing = NotificationRouting(
            type, category: one.category,
            rules: try JSON.parse(rows[0].get("rules", as: String.self)).decode(),
            defaults: try JSON.parse(rows[0].get("defaults", as: String.self)).decode(),
            requested: one.requested)
        var words: [String: [String: NotificationText]] = [:]
        for own in try JSON.parse(rows[0].get("words", as: String.self)).decode([[String]].self) {
            words[own[0], default: [:]][own[1]] = NotificationText(own[2], own[3])
        }
        return Courier(company: company, type: type, routing: routing, words: words, post: post, now: now)
    }

    /// Decides and does what is decided; once settled for good, a delivery is not touched again.
    func settle(
        _ one: DeliveryCase, _ channel: NotificationChannel, isEscalated: Bool = false, in tx: Transaction
    ) async throws {
        var verdict = DeliveryVerdict.of(one, channel, routing, isEscalated: isEscalated, at: now)
        if verdict.outcome == .send, let throttle = verdict.throttle {
            let recent = try await recentMails(of: one, seconds: throttle.seconds, in: tx)
            if recent >= throttle.max { verdict.throttled() }
        }
        let reopens: [DeliveryState] = isEscalated ? [.deferred, .skipped] : [.deferred]
        let rows = try await tx.query(record(verdict, of: one, channel, over: reopens))
        guard let id = try rows.first?.get("id", as: UUID.self) else { return }
        switch verdict.outcome {
        case .end: break
        case .wait(let until):
            try await Jobs.enqueue(
                DeliveryJobs.deliver, .init(delivery: id), company: company, at: until,
                uniqueKey: id.description,
                in: tx)
        case .gather(let until): try await Digests.add(id, of: one, until: until, company, in: tx)
        case .send where channel == .webhook: try await announce(one, in: tx)
        case .send: _ = try await tx.batch([Mail.forget(id), try Mail.sql(mail(one, id))])
        }
    }

    private func record(
        _ verdict: DeliveryVerdict, of one: DeliveryCase, _ channel: NotificationChannel,
        over: [DeliveryState]
    ) throws -> SQL {
        let (state, next): (DeliveryState, Timestamp?) =
            switch verdict.outcome {
            case .end(let state): (state, nil)
            case .wait(let until): (.deferred, until)
            case .gather(let until): (.gathered, until)
            case .send: (channel == .webhook ? .sent : .sending, nil)
            }
        return """
            INSERT INTO notification_deliveries AS d (company_id, id, notification_id, user_id, category, channel, state,
                                                      reason, detail, trace, next_at, sent_at)
            VALUES (\(company), \(UUID.v7()), \(one.notification), \(one.user), \(one.category), \(channel), \(state),
                    \(verdict.reason), \(verdict.detail), \(JSONText(try JSON(encoding: verdict.steps))), \(next),
                    CASE WHEN \(state) = 'sent' THEN now() END)
            ON CONFLICT (company_id, notification_id, channel) DO UPDATE
               SET state = excluded.state, reason = excluded.reason, detail = excluded.detail,
                   trace = d.trace || excluded.trace, next_at = excluded.next_at, sent_at = excluded.sent_at,
                   updated_at = now()
             WHERE d.state = ANY(\(over))
            RETURNING d.id
            """
    }

    /// Under a lock, so that two events at once do not both find the last free place.
    private func recentMails(of one: DeliveryCase, seconds: Int, in tx: Transaction) async throws -> Int {
        let rows = try await tx.batch([
            "SELECT pg_advisory_xact_lock(hashtextextended(\("notify:\(company):\(one.user):\(one.category)"), 0))",
            """
            SELECT count(*) AS count FROM notification_deliveries
             WHERE company_id = \(company) AND user_id = \(one.user) AND category = \(one.category)
               AND channel = 'email' AND state IN ('sending', 'sent')
               AND created_at > now() - make_interval(secs => \(seconds))
            """,
        ])
        return try rows[1][0].get("count")
    }

    private func mail(_ one: DeliveryCase, _ id: UUID) throws -> Mail.Message {
        let text = try text(of: one, .email)
        return post.mail(
            id, to: one, subject: text.title, body: text.body, link: one.link,
            unsubscribes: one.isCritical ? nil : one.category, company)
    }

    /// The words of the inbox, or the company's own for the channel.
    private func text(of one: DeliveryCase, _ channel: NotificationChannel) throws -> NotificationText {
        let texts = words[channel.rawValue] ?? [:]
        let locale = one.locale.lowercased()
        guard let own = texts[locale] ?? texts[String(locale.prefix { $0 != "-" })] ?? texts["en"] else {
            return NotificationText(one.title, one.body)
        }
        let values = Courier.values(of: one)
        return NotificationText(
            try NotificationRenderer.plain(own.title, values),
            try NotificationRenderer.plain(own.body, values))
    }

    /// What a company's template may name: the event's values, and the words of the inbox.
    static func values(of one: DeliveryCase) -> JSON {
        var values = one.data.objectValue ?? JSON.Object()
        for (key, text) in [
            ("title", one.title), ("body", one.body), ("name", one.name), ("link", one.link ?? ""),
        ] {
            values[key] = .string(text)
        }
        return .object(values)
    }

    private func announce(_ one: DeliveryCase, in tx: Transaction) async throws {
        NotificationFigures.here.count("webhook", "sent")
        let text = try text(of: one, .webhook)
        let told = NotificationTold(
            notificationId: one.notification, userId: one.user, type: one.type, category: one.category,
            severity: one.severity, title: text.title, body: text.body, link: one.link,
            objectType: one.subject?.type,
            objectId: one.subject?.id)
        try await Events.record(
            NotificationTold.event, told, on: "notification", one.notification, by: .system, company: company,
            in: tx)
    }
}

/// What a company's webhooks are told of a notification that goes by them.
struct NotificationTold: Codable, Sendable {
    let notificationId: UUID
    let userId: UUID
    let type: String
    let category: String
    let severity: String
    let title: String
    let body: String
    let link: String?
    let objectType: String?
    let objectId: UUID?

    static let event = EventType(
        "notification.sent",
        "Somebody was told something, by a rule or preference that sends it to webhooks.",
        example: NotificationTold(
            notificationId: UUID("01a20d0d-3150-70c6-81e3-7afd42d3cc77")!,
            userId: UUID("01a20d0d-3150-70c6-81e3-7afd42d3cc78")!, type: "invitation.accepted",
            category: "members",
            severity: "normal", title: "Grace Hopper has joined Northwind",
            body: "Grace Hopper has accepted your invitation.", link: nil, objectType: "invitation",
            objectId: UUID("01a20d0d-3150-70c6-81e3-7afd42d3cc79")!))
}
