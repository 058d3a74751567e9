import Core
import Postgres
import Wire

/// The work behind deliveries: each step a job that was enqueued in the transaction that made it due.
enum DeliveryJobs {
    struct DeliverArguments: Codable, Sendable {
        let delivery: UUID
    }

    struct EscalateArguments: Codable, Sendable {
        let notification: UUID
    }

    static let deliver = JobKind<DeliverArguments>("notifications.deliver", queue: "notifications")
    static let escalate = JobKind<EscalateArguments>("notifications.escalate", queue: "notifications")

    static let handlers = [
        JobHandler(Notify.dispatch) { arguments, job in
            try await dispatch(arguments.event, job)
            return .done
        },
        JobHandler(deliver) { arguments, job in
            try await again(arguments.delivery, job)
            return .done
        },
        JobHandler(escalate) { arguments, job in
            try await escalate(arguments.notification, job)
            return .done
        },
        Digests.handler, Waking.handler,
    ]

    /// So many people in one transaction: a crash repeats no more than that, and repeating changes nothing.
    private static let peopleAtOnce = 50

    /// Takes an event to all its people, by every channel but the inbox, which has been written already.
    private static func dispatch(_ event: UUID, _ job: Job) async throws {
        guard let company = job.company else { return }
        var after: UUID?
        while !job.isCancelled {
            let last = after
            after = try await job.work.database.transaction(as: Tenant(company: company)) { tx in
                let ids = try await tx.query(
                    """
                    SELECT id FROM notifications
                     WHERE company_id = \(company) AND event_id = \(event) AND (\(last)::uuid IS NULL OR id > \(last))
                     ORDER BY id LIMIT \(peopleAtOnce)
                    """
                ).map { try $0.get("id", as: UUID.self) }
                try await settle(ids, company, job.work, in: tx)
                return ids.count == peopleAtOnce ? ids.last : nil
            }
            if after == nil { return }
        }
    }

    private static func settle(_ ids: [UUID], _ company: UUID, _ work: Work, in tx: Transaction) async throws
    {
        let now = Timestamp.now
        let cases = try await DeliveryCase.load(ids, at: now, company, in: tx)
        guard let first = cases.first,
            let courier = try await Courier.load(
                for: first, work.environment[PostOffice.self], at: now, company, in: tx)
        else { return }
        for one in cases {
            for channel in [NotificationChannel.email, .webhook]
            where courier.routing.offered.contains(channel) {
                // That nothing proposes webhooks is the rule: it is not worth a row, and told when somebody asks.
                if channel == .webhook, !courier.routing.decide(.webhook, for: one.person).isOn { continue }
                try await courier.settle(one, channel, in: tx)
            }
            if let minutes = courier.routing.rule(for: one.person)?.escalateMinutes {
                try await Jobs.enqueue(
                    escalate, .init(notification: one.notification), company: company,
                    at: now + .seconds(minutes * 60), uniqueKey: one.notification.description, in: tx)
            }
        }
    }

    /// Looks again at a delivery that was put off.
    private static func again(_ delivery: UUID, _ job: Job) async throws {
        guard let company = job.company else { return }
        try await job.work.database.transaction(as: Tenant(company: company)) { tx in
            let rows = try await tx.query(
                """
                SELECT notification_id, channel FROM notification_deliveries
                 WHERE company_id = \(company) AND id = \(delivery) AND state = 'deferred' FOR UPDATE
                """)
            if let row = rows.first, let channel = NotificationChannel(rawValue: try row.get("channel")) {
                let now = Timestamp.now
                let cases = try await DeliveryCase.load(
                    [row.get("notification_id")], at: now, company, in: tx)
                let post = job.work.environment[PostOffice.self]
                // The job in hand gives its key free for the next, should this one be put off once more.
                try await job.finish(in: tx)
                if let one = cases.first,
                    let courier = try await Courier.load(for: one, post, at: now, company, in: tx)
                {
                    try await courier.settle(one, channel, in: tx)
                }
            }
        }
    }

    /// What has stayed unread goes by the next channel, to the same person or to another.
    private static func escalate(_ notification: UUID, _ job: Job) async throws {
        guard let company = job.company else { return }
        try await job.work.database.transaction(as: Tenant(company: company)) { tx in
            let unread = try await tx.query(
                """
                SELECT 1 FROM notifications
                 WHERE company_id = \(company) AND id = \(notification) AND read_at IS NULL AND archived_at IS NULL
                   AND deleted_at IS NULL AND action_taken IS NULL
                """)
            let now = Timestamp.now
            let cases = try await DeliveryCase.load(
                unread.isEmpty ? [] : [notification], at: now, company, in: tx)
            guard let one = cases.first, !one.isCancelled,
                let courier = try await Courier.load(
                    for: one, job.work.environment[PostOffice.self], at: now, company, in: tx),
                let rule = courier.routing.rule(for: one.person), let name = rule.escalateChannel,
                let channel = NotificationChannel(rawValue: name)
            else { return }
            guard let other = rule.escalateUser, other != one.user else {
                if channel != .inApp { try await courier.settle(one, channel, isEscalated: true, in: tx) }
                return
            }
            guard let told = try await Escalation.tell(other, of: one, company, in: tx) else { return }
            if channel == .inApp { return }
            for another in try await DeliveryCase.load([told], at: now, company, in: tx) {
                try await courier.settle(another, channel, isEscalated: true, in: tx)
            }
        }
    }
}

/// News that goes on to somebody else.
enum Escalation {
    /// Puts it into another's inbox; nil when they have it already.
    static func tell(_ user: UUID, of one: DeliveryCase, _ company: UUID, in tx: Transaction) async throws
        -> UUID?
    {
        let has = try await tx.query(
            """
            SELECT 1 FROM notifications
             WHERE company_id = \(company) AND user_id = \(user) AND event_id = \(one.event)
            """)
        guard has.isEmpty else { return nil }
        let id = UUID.v7()
        let numbers = try await NotificationNumbers.take([user], company, in: tx)
        _ = try await tx.batch([
            """
            INSERT INTO notifications (company_id, id, user_id, event_id, seq, type, category, severity, is_critical,
                                       title, body, link, object_type, object_id, actor_id, relations, data, actions,
                                       decision)
            SELECT company_id, \(id), \(user), event_id, \(numbers[user]), type, category, severity, is_critical, title,
                   body, link, object_type, object_id, actor_id, ARRAY['escalation'], data, actions,
                   \(JSONText(#"{"is_on": true, "reason": "escalated", "detail": "It stayed unread elsewhere."}"#))
              FROM notifications WHERE company_id = \(company) AND id = \(one.notification)
            ON CONFLICT (company_id, user_id, event_id) DO NOTHING
            """,
            InboxNews.tell(of: "n.id = \(id)", company),
        ])
        return id
    }
}
