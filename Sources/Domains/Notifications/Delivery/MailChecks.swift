import Core
import Postgres
import Wire

/// Follows the mails of notifications on their way out: whether each is still wanted when its turn comes, and what the
/// mail server said to each try.
enum MailChecks {
    static func watch(_ post: PostOffice) -> MailWatch {
        MailWatch(
            isWanted: { mail, company, db in
                try await db.transaction(as: Tenant(company: company)) { tx in
                    try await isWanted(mail, post, company, in: tx)
                }
            }, record: record)
    }

    /// A mail is one delivery's, or a digest's.
    private static func deliveries(_ mail: UUID, _ company: UUID) -> SQL {
        "d.company_id = \(company) AND (d.id = \(mail) OR d.digest_id = \(mail))"
    }

    private static func isWanted(_ mail: UUID, _ post: PostOffice, _ company: UUID, in tx: Transaction)
        async throws
        -> Bool
    {
        let ids = try await tx.query(
            """
            SELECT d.notification_id FROM notification_deliveries d
             WHERE \(fragment: deliveries(mail, company)) AND d.state = 'sending'
            """
        ).map { try $0.get("notification_id", as: UUID.self) }
        let cases = try await DeliveryCase.load(ids, at: .now, company, in: tx)
        let wanted = try await sift(cases, of: mail, from: .sending, post, company, in: tx)
        return !wanted.isEmpty
    }

    /// Those that may still go out; what speaks against the others is recorded. An escalation's word has been heard.
    static func sift(
        _ cases: [DeliveryCase], of mail: UUID, from state: DeliveryState, _ post: PostOffice,
        _ company: UUID,
        in tx: Transaction
    ) async throws -> [DeliveryCase] {
        var wanted: [DeliveryCase] = []
        for one in cases {
            guard let courier = try await Courier.load(for: one, post, at: .now, company, in: tx) else {
                continue
            }
            let verdict = DeliveryVerdict.of(one, .email, courier.routing, isEscalated: true, at: .now)
            guard case .end(let end) = verdict.outcome else {
                wanted.append(one)
                continue
            }
            _ = try await tx.query(
                """
                UPDATE notification_deliveries d
                   SET state = \(end), reason = \(verdict.reason), detail = \(verdict.detail), next_at = NULL,
                       trace = d.trace || \(JSONText(try JSON(encoding: verdict.steps)))::jsonb, updated_at = now()
                 WHERE \(fragment: deliveries(mail, company)) AND d.notification_id = \(one.notification)
                   AND d.state = \(state)
                """)
        }
        return wanted
    }

    private static func record(_ attempt: MailWatch.Attempt) -> [SQL] {
        let mine = deliveries(attempt.mail, attempt.company)
        let isBounce = attempt.outcome == .refused && Suppressions.isBounce(attempt.reply)
        let outcome = isBounce ? "bounced" : attempt.outcome.rawValue
        NotificationFigures.here.count("email", outcome)
        var statements: [SQL] = [
            """
            INSERT INTO notification_delivery_attempts (company_id, delivery_id, attempt, outcome, reply)
            SELECT d.company_id, d.id, d.attempts + 1, \(outcome), \(attempt.reply)
              FROM notification_deliveries d WHERE \(fragment: mine) AND d.state = 'sending'
            """
        ]
        if isBounce { statements.append(Suppressions.ofRecipient(mine, attempt)) }
        let (state, reason, detail): (DeliveryState, String, String) =
            switch attempt.outcome {
            case .accepted: (.sent, "sent", "The mail server has taken it.")
            case .putBack: (.sending, "put-back", attempt.reply)
            case .refused: (.failed, isBounce ? "bounced" : "refused", attempt.reply)
            }
        statements.append(
            """
            UPDATE notification_deliveries d
               SET state = \(state), reason = \(reason), detail = \(detail), attempts = d.attempts + 1,
                   sent_at = CASE WHEN \(state) = 'sent' THEN now() END, updated_at = now()
             WHERE \(fragment: mine) AND d.state = 'sending'
            """)
        return statements
    }
}
