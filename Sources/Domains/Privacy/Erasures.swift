import API
import Core
import Crypto
import Postgres
import Wire

/// To be forgotten: first a plan that changes nothing, then a confirmation, then a time to think again, and only then
/// the erasure, step by step.
enum Erasures {
    @RouteList static var routes: [Route] {
        GET("/v1/privacy/erasures", "List requests to forget somebody", .signedIn, list)
            .describe("Your own, and with `privacy:read` those of the company.")
        POST("/v1/privacy/erasures", "Plan to forget yourself or somebody else", .signedIn, plan)
            .describe(
                "Answers what would be deleted, what emptied and what kept, and why. Nothing changes until it is "
                    + "confirmed; a plan lapses after a week. `person` takes `privacy:write`."
            )
            .problems(.underLegalHold, .sessionRequired)
            .example(body: ["subject": "me", "block_sign_up": true])
        GET("/v1/privacy/erasures/{id}", "Read a request to forget somebody", .signedIn, read)
        POST("/v1/privacy/erasures/{id}/confirm", "Confirm an erasure", .signedIn, confirm)
            .operation("confirmErasure")
            .describe(
                "It begins at `execute_after`; until then it can be cancelled. Needs a recent proof of who you are. "
                    + "Where you are the last owner of a company, hand over first."
            )
            .secret.problems(
                .erasureNotPlanned, .erasureRunning, .underLegalHold, .reauthenticationRequired,
                .sessionRequired)
        POST("/v1/privacy/erasures/{id}/cancel", "Cancel an erasure", .signedIn, cancel)
            .operation("cancelErasure").problems(.erasureNotCancellable)
        GET("/v1/privacy/erasures/{id}/report", "Read what an erasure has done", .signedIn, report)
            .problems(.reportNotReady, .notFound)
        POST("/v1/privacy/receipts", "Read the report when the account is gone", .open, redeem)
            .operation("redeemErasureReceipt").rate(.login).secret.idempotent(.none)
            .problems(.reportNotReady, .notFound)
            .example(body: ["receipt": "era_8FfN2nPZ0S7-example"])
    }

    struct Filter: ListFilter {
        let state: [PrivacyState]?
    }

    struct Receipt: Codable, Sendable { let receipt: Text<100> }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Erasure> {
        try await call.page(list, select(call))
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Erasure> {
        try Single(await call.db.query("\(fragment: select(call)) AND p.id = \(id)"))
    }

    private static func select(_ call: Call) throws -> SQL {
        """
        SELECT p.id, p.subject, p.state, p.requested_by, p.reason, p.blocks_sign_up, p.plan, p.error, p.created_at,
               p.confirmed_at, p.execute_after, p.finished_at, p.version
          FROM privacy_requests p
         WHERE \(fragment: try PrivacyRequests.visible(to: call, kind: "erasure"))
        """
    }

    static func plan(_ call: Call, _ body: Body<NewErasure>) async throws -> Created<Erasure> {
        let subject: PrivacySubject = body.subject == .me ? .me : .person
        if subject == .me, call.principal?.sessionId == nil { throw Problem(.sessionRequired) }
        let company = try PrivacyRequests.company(for: subject, call)
        if let company, try await LegalHolds.isHeld(company, call.db.database) {
            throw Problem(.underLegalHold)
        }
        let email = try await PrivacyRequests.email(for: subject, body.value.email, call)
        let user = subject == .me ? try call.user : nil
        let plan = try await ErasurePlan.make(
            of: PersonalData.Subject(user: user, email: email, company: company),
            call.environment[Declarations.self],
            call.db.database)
        let counted = try JSON(encoding: await plan.counted(call.db.database))
        let id = UUID.v7()
        let sealed = PrivacyRequests.seal(email, id, call.environment[KeyRing.self])
        let (requester, blocks) = (try call.user, body.blockSignUp ?? false)
        var statements: [SQL] = [
            """
            INSERT INTO privacy_requests (id, kind, subject, company_id, user_id, email_sealed, requested_by, state, reason,
                                          blocks_sign_up, plan, expires_at)
            VALUES (\(id), 'erasure', \(subject), \(company), \(user), \(sealed), \(requester), 'planned',
                    \(body.value.reason), \(blocks), \(JSONText(counted)), \(call.now + PrivacyLimits.planLife))
            """
        ]
        if let company {
            statements.append(
                Audit.sql(
                    Audit.Entry("privacy.erasure_planned", on: "privacy_request", id), by: call.actor,
                    company: company))
        }
        _ = try await call.db.batch(statements)
        return try Created(await call.db.query("\(fragment: select(call)) AND p.id = \(id)"))
    }

    static func confirm(_ call: Call, _ id: Path<UUID>) async throws -> Single<ConfirmedErasure> {
        try await call.environment[RecentProof.self].require(call)
        let receipt = "era_" + OpaqueToken.make()
        let grace = Duration.seconds(call.environment[Settings.self].erasureGraceDays * 86_400)
        let due = call.now + grace
        try await call.db.transaction { tx in
            let request = try await mine(id.value, call, tx)
            guard request.state == .blocked || request.state == .planned && request.expiresAt > call.now
            else {
                throw Problem(.erasureNotPlanned)
            }
            if let company = request.company {
                if try await LegalHolds.isHeld(company, in: tx) { throw Problem(.underLegalHold) }
                try await Audit.record(
                    Audit.Entry(
                        "privacy.erasure_confirmed", on: "privacy_request", id.value,
                        after: ["execute_after": .string(due.description)]),
                    by: call.actor, company: company, in: tx)
            }
            _ = try await tx.query(
                """
                UPDATE privacy_requests
                   SET state = 'scheduled', confirmed_at = \(call.now), execute_after = \(due), error = NULL,
                       receipt_sha256 = \(OpaqueToken.digest(receipt).bytes), expires_at = NULL,
                       version = version + 1, updated_at = \(call.now)
                 WHERE id = \(id)
                """)
            try await Jobs.enqueue(
                Erasing.kind, Erasing.Arguments(request: id.value), company: request.company, at: due, in: tx)
        }
        return Single(ConfirmedErasure(id: id.value, state: .scheduled, executeAfter: due, receipt: receipt))
    }

    static func cancel(_ call: Call, _ id: Path<UUID>) async throws -> Single<Erasure> {
        try await call.db.transaction { tx in
            let request = try await mine(id.value, call, tx)
            guard [.planned, .scheduled, .blocked].contains(request.state) else {
                throw Problem(.erasureNotCancellable)
            }
            // The job that waits finds it cancelled and does nothing.
            _ = try await tx.query(
                """
                UPDATE privacy_requests
                   SET state = 'cancelled', finished_at = \(call.now), version = version + 1, updated_at = \(call.now)
                 WHERE id = \(id)
                """)
            if let company = request.company {
                try await Audit.record(
                    Audit.Entry("privacy.erasure_cancelled", on: "privacy_request", id.value), by: call.actor,
                    company: company, in: tx)
            }
        }
        return try await read(call, id)
    }

    private struct Mine {
        let state: PrivacyState
        let company: UUID?
        let expiresAt: Timestamp
    }

    /// The request under a lock, if this caller may decide on it.
    private static func mine(_ id: UUID, _ call: Call, _ tx: Transaction) async throws -> Mine {
        let rows = try await tx.query(
            """
            SELECT p.state, p.company_id, coalesce(p.expires_at, p.created_at) AS expires_at
              FROM privacy_requests p
             WHERE \(fragment: try PrivacyRequests.visible(to: call, kind: "erasure")) AND p.id = \(id) FOR UPDATE
            """)
        guard let row = rows.first else { throw Problem.notFound }
        let company = try row.get("company_id", as: UUID?.self)
        if company != nil { try call.require(.privacyWrite) }
        return Mine(state: try row.get("state"), company: company, expiresAt: try row.get("expires_at"))
    }

    static func report(_ call: Call, _ id: Path<UUID>) async throws -> Single<ErasureProof> {
        let rows = try await call.db.query(
            """
            SELECT p.report, encode(p.report_sha256, 'hex') AS sha256
              FROM privacy_requests p
             WHERE \(fragment: try PrivacyRequests.visible(to: call, kind: "erasure")) AND p.id = \(id)
            """)
        return try proof(rows)
    }

    static func redeem(_ call: Call, _ body: Body<Receipt>) async throws -> Single<ErasureProof> {
        let digest = OpaqueToken.digest(body.receipt.text).bytes
        let rows = try await call.db.query(
            """
            SELECT p.report, encode(p.report_sha256, 'hex') AS sha256
              FROM privacy_requests p WHERE p.receipt_sha256 = \(digest)
            """)
        return try proof(rows)
    }

    private static func proof(_ rows: Rows) throws -> Single<ErasureProof> {
        guard let row = rows.first else { throw Problem.notFound }
        if row.isNull("report") { throw Problem(.reportNotReady) }
        return try Single(rows)
    }
}
