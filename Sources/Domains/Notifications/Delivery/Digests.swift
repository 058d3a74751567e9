import Core
import Postgres
import Wire

/// Mails that are gathered: one open window for a person and category, closed once.
enum Digests {
    struct Arguments: Codable, Sendable {
        let digest: UUID
    }

    static let kind = JobKind<Arguments>("notifications.digest", queue: "notifications")

    static let handler = JobHandler(kind) { arguments, job in
        guard let company = job.company else { return .done }
        return try await close(arguments.digest, company, job)
    }

    /// Puts a delivery into the person's window, and opens one when there is none.
    static func add(
        _ delivery: UUID, of one: DeliveryCase, until: Timestamp, _ company: UUID, in tx: Transaction
    )
        async throws
    {
        let new = UUID.v7()
        // The unique index decides which window it is, for two events in the same moment as well.
        let rows = try await tx.query(
            """
            INSERT INTO notification_digests AS d (company_id, id, user_id, category, closes_at)
            VALUES (\(company), \(new), \(one.user), \(one.category), \(until))
            ON CONFLICT (company_id, user_id, category) WHERE state = 'open' DO UPDATE SET items = d.items + 1
            RETURNING d.id, d.closes_at
            """)
        let digest: UUID = try rows[0].get("id")
        _ = try await tx.query(
            """
            UPDATE notification_deliveries SET digest_id = \(digest), next_at = \(try rows[0].get("closes_at", as: Timestamp.self))
             WHERE company_id = \(company) AND id = \(delivery)
            """)
        if digest == new {
            try await Jobs.enqueue(
                kind, Arguments(digest: digest), company: company, at: until, uniqueKey: digest.description,
                in: tx)
        }
    }

    private static func close(_ digest: UUID, _ company: UUID, _ job: Job) async throws -> JobOutcome {
        let post = job.work.environment[PostOffice.self]
        let waitsUntil: Timestamp? = try await job.work.database.transaction(as: Tenant(company: company)) {
            tx in
            // Compare and set: of two who close it, one finds it open.
            let closed = try await tx.query(
                """
                UPDATE notification_digests SET state = 'closed', closed_at = now()
                 WHERE company_id = \(company) AND id = \(digest) AND state = 'open' RETURNING id
                """)
            if closed.isEmpty { return nil }
            let cases = try await gathered(digest, company, in: tx)
            if let until = cases.compactMap(\.quietUntil).max() {
                // Quiet hours hold for digests too: the window stays open, and what comes meanwhile goes with it.
                _ = try await tx.query(
                    """
                    UPDATE notification_digests SET state = 'open', closed_at = NULL, closes_at = \(until)
                     WHERE company_id = \(company) AND id = \(digest)
                    """)
                return until
            }
            try await send(digest, cases, post, company, in: tx)
            return nil
        }
        return if let waitsUntil { .again(at: waitsUntil) } else { .done }
    }

    private static func gathered(_ digest: UUID, _ company: UUID, in tx: Transaction) async throws
        -> [DeliveryCase]
    {
        let ids = try await tx.query(
            """
            SELECT notification_id FROM notification_deliveries
             WHERE company_id = \(company) AND digest_id = \(digest) AND state = 'gathered' ORDER BY created_at, id
            """
        ).map { try $0.get("notification_id", as: UUID.self) }
        return try await DeliveryCase.load(ids, at: .now, company, in: tx)
    }

    /// One mail of all that is still wanted.
    private static func send(
        _ digest: UUID, _ cases: [DeliveryCase], _ post: PostOffice, _ company: UUID, in tx: Transaction
    ) async throws {
        let wanted = try await MailChecks.sift(cases, of: digest, from: .gathered, post, company, in: tx)
        guard let first = wanted.first else { return }
        _ = try await tx.query(
            """
            UPDATE notification_deliveries
               SET state = 'sending', reason = 'digest', detail = 'It goes out with a digest.', next_at = NULL,
                   updated_at = now()
             WHERE company_id = \(company) AND digest_id = \(digest) AND state = 'gathered'
            """)
        let text = DigestText.write(wanted)
        let mail = post.mail(
            digest, to: first, subject: text.title, body: text.body, link: nil, unsubscribes: first.category,
            company)
        try await Mail.queue(mail, in: tx)
    }
}

/// The words of a digest.
enum DigestText {
    /// More stand in the inbox.
    private static let itemsMax = 50

    static func write(_ items: [DeliveryCase]) -> NotificationText {
        let isGerman = MailRenderer.spoken(items[0].locale) == "de"
        let subject =
            switch items.count {
            case 1: items[0].title
            default: isGerman ? "\(items.count) Neuigkeiten" : "\(items.count) notifications"
            }
        var parts = items.prefix(itemsMax).map { "\($0.title)\n\($0.body)" }
        if items.count > itemsMax {
            let rest = items.count - itemsMax
            parts.append(isGerman ? "… und \(rest) weitere." : "… and \(rest) more.")
        }
        return NotificationText(subject, parts.joined(separator: "\n\n"))
    }
}
