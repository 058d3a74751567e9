import API
import Core
import Crypto
import Postgres
import Wire

/// Addresses that are not to be tried: they bounced, complained, or somebody said so.
enum Suppressions {
    @RouteList static var routes: [Route] {
        GET("/v1/email-suppressions", "List suppressed addresses", .can(.notificationsManage), list)
            .describe("Addresses are kept as digests alone: ask about one by `address`.")
        POST("/v1/email-suppressions", "Suppress an address", .can(.notificationsManage), create)
            .describe("An address that is suppressed already keeps its first reason.")
            .example(body: ["address": "someone@example.com", "detail": "Asked by phone."])
        DELETE("/v1/email-suppressions/{id}", "Lift a suppression", .can(.notificationsManage), lift)
        POST("/v1/email-bounces", "Report a bounce or a complaint", .can(.notificationsManage), bounce)
            .describe(
                "For what a mail server or provider reports later. A hard bounce or a complaint suppresses the address; "
                    + "with `message_id` the delivery shows it too."
            )
            .example(body: [
                "address": "someone@example.com", "kind": "bounce", "reply": "550 5.1.1 no such user",
            ])
    }

    enum Reason: String, Codable, CaseIterable, SQLBindable, SQLBindableElement, Sendable {
        case bounce, complaint, manual
    }

    struct Suppression: Codable, Sendable {
        let id: UUID
        let domain: String
        let reason: Reason
        let detail: String?
        let createdBy: UUID?
        let liftedAt: Timestamp?
        let liftedBy: UUID?
        let createdAt: Timestamp
    }

    struct Filter: ListFilter {
        let address: Email?
        let reason: [Reason]?
        let lifted: Bool?

        static let ownFields: Set<String> = ["address", "lifted"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Suppression> {
        let company = try call.company
        var sql = select(company)
        if let address = list.filter.address {
            sql += " AND address_sha256 = \(digest(of: address.normalized, company))"
        }
        sql += list.filter.lifted ?? false ? " AND lifted_at IS NOT NULL" : " AND lifted_at IS NULL"
        return try await call.page(list, sql)
    }

    struct NewSuppression: Codable, Sendable {
        let address: Email
        let detail: Text<300>?
    }

    static func create(_ call: Call, _ body: Body<NewSuppression>) async throws -> Created<Suppression> {
        let company = try call.company
        let id = try await call.db.transaction { tx in
            try await suppress(
                body.address.normalized, .manual, body.value.detail?.text, by: call, company, in: tx)
        }
        return try Created(await call.db.query("\(fragment: select(company)) AND id = \(id)"))
    }

    static func lift(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let company = try call.company
        try await call.db.transaction { tx in
            let rows = try await tx.query(
                """
                UPDATE email_suppressions SET lifted_at = now(), lifted_by = \(try call.user)
                 WHERE company_id = \(company) AND id = \(id) AND lifted_at IS NULL RETURNING id
                """)
            if rows.isEmpty { throw Problem.notFound }
            try await Audit.record(
                Audit.Entry("email_suppression.lifted", on: "email_suppression", id.value), by: call.actor,
                company: company, in: tx)
        }
        return NoContent()
    }

    enum Kind: String, Codable, CaseIterable, Sendable {
        case bounce
        case softBounce = "soft_bounce"
        case complaint
    }

    struct Bounce: Codable, Sendable, FieldNotes {
        let address: Email
        let kind: Kind
        let reply: Text<500>?
        let messageId: Text<200>?

        static let fieldNotes = [
            "message_id": "The Message-ID of the mail, with or without its domain.",
            "kind": "A soft bounce (a full mailbox) is only noted with its delivery.",
        ]
    }

    static func bounce(_ call: Call, _ body: Body<Bounce>) async throws -> NoContent {
        let company = try call.company
        let reply = body.value.reply?.text ?? body.kind.rawValue
        try await call.db.transaction { tx in
            switch body.kind {
            case .softBounce: break
            case .bounce:
                _ = try await suppress(body.address.normalized, .bounce, reply, by: call, company, in: tx)
            case .complaint:
                _ = try await suppress(body.address.normalized, .complaint, reply, by: call, company, in: tx)
            }
            guard let id = body.value.messageId.flatMap({ deliveryId($0.text) }) else { return }
            _ = try await tx.batch([
                """
                INSERT INTO notification_delivery_attempts (company_id, delivery_id, attempt, outcome, reply)
                SELECT company_id, id, attempts + 1, 'bounced', \(reply) FROM notification_deliveries
                 WHERE company_id = \(company) AND (id = \(id) OR digest_id = \(id))
                """,
                """
                UPDATE notification_deliveries
                   SET attempts = attempts + 1, updated_at = now(), detail = \(reply), reason = 'bounced',
                       state = CASE WHEN \(body.kind == .bounce) THEN 'failed' ELSE state END
                 WHERE company_id = \(company) AND (id = \(id) OR digest_id = \(id))
                """,
            ])
        }
        return NoContent()
    }

    private static func deliveryId(_ messageId: String) -> UUID? {
        UUID(messageId.drop { $0 == "<" }.prefix { $0 != "@" && $0 != ">" })
    }

    private static func suppress(
        _ address: String, _ reason: Reason, _ detail: String?, by call: Call, _ company: UUID,
        in tx: Transaction
    ) async throws -> UUID {
        let new = UUID.v7()
        let rows = try await tx.query(
            """
            INSERT INTO email_suppressions AS s (company_id, id, address_sha256, domain, reason, detail, created_by)
            VALUES (\(company), \(new), \(digest(of: address, company)), \(String(address.drop { $0 != "@" }.dropFirst())),
                    \(reason), \(detail), \(try call.user))
            ON CONFLICT (company_id, address_sha256) WHERE lifted_at IS NULL DO UPDATE SET reason = s.reason
            RETURNING s.id
            """)
        let id: UUID = try rows[0].get("id")
        if id == new {
            try await Audit.record(
                Audit.Entry(
                    "email_suppression.made", on: "email_suppression", id,
                    after: ["reason": .string(reason.rawValue)]),
                by: call.actor, company: company, in: tx)
        }
        return id
    }

    private static func select(_ company: UUID) -> SQL {
        """
        SELECT id, domain, reason, detail, created_by, lifted_at, lifted_by, created_at FROM email_suppressions
         WHERE company_id = \(company)
        """
    }

    // MARK: digests

    /// The company is part of it, so that the lists of two companies cannot be compared.
    static func digest(of address: String, _ company: UUID) -> [UInt8] {
        SHA256.digest("\(company):\(address)").bytes
    }

    /// The same, made by the database from a column.
    static func digest(_ column: StaticString, _ company: UUID) -> SQL {
        "sha256(convert_to(\("\(company):") || \(unescaped: "\(column)"), 'UTF8'))"
    }

    /// The server says that there is no such mailbox: another try cannot help, and costs the sender's name.
    static func isBounce(_ reply: String) -> Bool {
        if reply.contains("5.1.") { return true }
        // A full mailbox (5.2) or a policy against the sender (5.7) says nothing about the address.
        guard !reply.contains("5.2."), !reply.contains("5.7.") else { return false }
        return ["550", "551", "553"].contains { reply.contains($0) }
    }

    /// Suppresses the address a mail was for.
    static func ofRecipient(_ deliveries: SQL, _ attempt: MailWatch.Attempt) -> SQL {
        """
        INSERT INTO email_suppressions (company_id, id, address_sha256, domain, reason, detail)
        SELECT \(attempt.company), \(UUID.v7()), \(fragment: digest("u.email_norm", attempt.company)),
               split_part(u.email_norm, '@', 2), 'bounce', \(attempt.reply)
          FROM notification_deliveries d JOIN users u ON u.id = d.user_id
         WHERE \(fragment: deliveries) AND u.email_norm IS NOT NULL
         LIMIT 1
        ON CONFLICT (company_id, address_sha256) WHERE lifted_at IS NULL DO NOTHING
        """
    }
}
