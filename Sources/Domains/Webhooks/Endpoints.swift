import API
import Core
import Crypto
import Outbound
import Postgres
import Wire

/// A company's endpoints: where, of what, how fast, on or off.
enum Endpoints {
    @RouteList static var routes: [Route] {
        GET("/v1/webhook-endpoints", "List webhook endpoints", .can(.webhooksRead), list)
        POST("/v1/webhook-endpoints", "Make a webhook endpoint", .can(.webhooksWrite), create)
            .describe(
                "The secret is shown this once. Messages follow Standard Webhooks: verify them with any library of it."
            )
            .secret.problems(.tooManyWebhookEndpoints, .webhookEventTypeUnknown, .webhookURLNotAllowed)
            .example(body: [
                "url": "https://example.com/hooks", "description": "CRM", "event_types": [],
                "headers": [["name": "X-Receiver-Token", "value": "7f3e9c"]], "throttle_per_second": 50,
            ])
        GET("/v1/webhook-endpoints/{id}", "Read a webhook endpoint", .can(.webhooksRead), read)
        PATCH("/v1/webhook-endpoints/{id}", "Change a webhook endpoint", .can(.webhooksWrite), change)
            .describe(
                """
                `headers` replaces all of them. Switching an endpoint off drops what was still to be delivered to it; \
                recover it later.
                """
            )
            .problems(.webhookEventTypeUnknown, .webhookURLNotAllowed)
            .example(body: ["description": "CRM of the shop", "throttle_per_second": 20])
        DELETE("/v1/webhook-endpoints/{id}", "Delete a webhook endpoint", .can(.webhooksWrite), delete)
        POST(
            "/v1/webhook-endpoints/{id}/enable", "Switch a webhook endpoint on", .can(.webhooksWrite), enable
        )
        .describe("What it has missed is not sent by itself: recover it.")
        POST(
            "/v1/webhook-endpoints/bulk", "Switch many webhook endpoints on or off", .can(.webhooksWrite),
            bulk
        )
        .describe("All of them or, when one does not exist, none.")
        .example(body: ["ids": ["01939d2c-7f4e-7a61-9c0b-5f2f0d9b3c11"], "is_active": false])
    }

    struct Filter: ListFilter {
        let isActive: Bool?

        static let sorts = ["-created_at", "url"]
        static let search = ["url", "description"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<WebhookEndpoint> {
        try await call.page(
            list,
            "SELECT \(fragment: WebhookEndpoint.columns) FROM webhook_endpoints WHERE company_id = \(call.company)"
        )
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<WebhookEndpoint> {
        try Single(await rows(id.value, call))
    }

    static func create(_ call: Call, _ body: Body<NewWebhookEndpoint>) async throws -> Created<
        WebhookEndpointSecret
    > {
        let company = try call.company
        try check(url: body.url, call)
        let types = try known(body.eventTypes, call)
        let id = UUID.v7()
        let secret = try Secrets.chosen(body.secret, body.signature)
        let isActive = body.isActive ?? true
        let headers = headers(body.headers, of: id, call.webhooks.ring)
        let ring = call.webhooks.ring
        try await call.db.transaction { tx in
            let count = try await tx.query(
                "SELECT count(*) AS count FROM webhook_endpoints WHERE company_id = \(company)")
            guard try count[0].get("count", as: Int.self) < WebhookLimits.endpointsMax else {
                throw Problem(.tooManyWebhookEndpoints)
            }
            _ = try await tx.batch([
                """
                INSERT INTO webhook_endpoints (company_id, id, url, description, event_types, channels, header_names,
                       headers_sealed, throttle_per_second, is_active, disabled_reason, disabled_at, signature,
                       secret_sealed, public_key, created_by)
                VALUES (\(company), \(id), \(body.url), \(body.value.description?.text ?? ""), \(types),
                        \(texts(body.channels)), \(headers.names), \(headers.sealed), \(body.throttlePerSecond?.value),
                        \(isActive), \(isActive ? nil : DisabledReason.manual),
                        \(isActive ? nil : call.now), \(secret.scheme), \(ring.sealText(secret.text, "secret", of: id)),
                        \(secret.publicKey), \(call.principal?.userId))
                """,
                "INSERT INTO webhook_lanes (endpoint_id, company_id) VALUES (\(id), \(company))",
                Audit.sql(
                    Audit.Entry(
                        "webhook_endpoint.created", on: "webhook_endpoint", id,
                        after: ["url": .string(body.url.text), "event_types": .array(types.map(JSON.string))]),
                    by: call.actor, company: company),
            ])
        }
        let made = WebhookEndpointSecret(
            id: id, url: body.url.text, signature: secret.scheme, secret: secret.shown,
            publicKey: secret.publicKey,
            oldSecretUntil: nil)
        return Created(made, at: "/v1/webhook-endpoints/\(id)")
    }

    static func change(
        _ call: Call, _ id: Path<UUID>, _ body: Patch<WebhookEndpointChange>
    ) async throws -> Single<WebhookEndpoint> {
        let company = try call.company
        var changes = Changes()
        if let url = body.url {
            try check(url: url, call)
            changes.set("url", url)
        }
        changes.set("description", body.value.description)
        if body.eventTypes != nil { changes.set("event_types", try known(body.eventTypes, call)) }
        if body.channels != nil { changes.set("channels", texts(body.channels)) }
        if body.headers != nil {
            let headers = headers(body.headers, of: id.value, call.webhooks.ring)
            changes.set("header_names", headers.names)
            changes.set("headers_sealed", to: "\(headers.sealed)")
        }
        if let throttle = body.value.throttlePerSecond {
            changes.set("throttle_per_second", to: "\(throttle?.value)")
        }
        if let isActive = body.isActive { activate(isActive, &changes) }
        let assignments = changes.sql
        try await call.db.transaction { tx in
            try await change(id.value, assignments, body.isActive, company, call, in: tx)
        }
        return try Single(await rows(id.value, call))
    }

    private static func change(
        _ id: UUID, _ assignments: SQL, _ isActive: Bool?, _ company: UUID, _ call: Call, in tx: Transaction
    ) async throws {
        let before = try await tx.query(
            "SELECT \(fragment: WebhookEndpoint.columns) FROM webhook_endpoints WHERE company_id = \(company) AND id = \(id) FOR UPDATE"
        )
        guard let row = before.first else { throw Problem.notFound }
        try call.requireVersion(row.get("version"))
        let after = try await tx.query(
            """
            UPDATE webhook_endpoints SET \(fragment: assignments) WHERE company_id = \(company) AND id = \(id)
            RETURNING \(fragment: WebhookEndpoint.columns)
            """)
        let changed = Audit.changed(try JSON(row: row), try JSON(row: after[0]))
        var statements = [
            Audit.sql(
                Audit.Entry(
                    "webhook_endpoint.changed", on: "webhook_endpoint", id, before: changed.before,
                    after: changed.after),
                by: call.actor, company: company)
        ]
        if isActive == false { statements.append(Lanes.forget(id)) }
        if isActive == true { statements.append(restart(id)) }
        _ = try await tx.batch(statements)
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let company = try call.company
        try await call.db.transaction { tx in
            let gone = try await tx.query(
                "DELETE FROM webhook_endpoints WHERE company_id = \(company) AND id = \(id) RETURNING url")
            guard let row = gone.first else { throw Problem.notFound }
            _ = try await tx.batch([
                Lanes.forget(id.value), "DELETE FROM webhook_lanes WHERE endpoint_id = \(id)",
                Audit.sql(
                    Audit.Entry(
                        "webhook_endpoint.deleted", on: "webhook_endpoint", id.value,
                        before: ["url": .string(row.get("url"))]),
                    by: call.actor, company: company),
            ])
        }
        return NoContent()
    }

    static func enable(_ call: Call, _ id: Path<UUID>) async throws -> Single<WebhookEndpoint> {
        let company = try call.company
        _ = try await call.db.transaction { tx in try await switchTo(true, [id.value], company, call, in: tx)
        }
        return try Single(await rows(id.value, call))
    }

    struct Switch: Codable, Sendable {
        let ids: UpTo<50, UUID>
        let isActive: Bool
    }

    struct Switched: Codable, Sendable {
        let changed: Int
    }

    static func bulk(_ call: Call, _ body: Body<Switch>) async throws -> Single<Switched> {
        let company = try call.company
        let ids = Array(Set(body.ids.items))
        let changed = try await call.db.transaction { tx in
            try await switchTo(body.value.isActive, ids, company, call, in: tx)
        }
        return Single(Switched(changed: changed))
    }

    /// Gives how many were not so before.
    @discardableResult
    private static func switchTo(
        _ isActive: Bool, _ ids: [UUID], _ company: UUID, _ call: Call, in tx: Transaction
    ) async throws -> Int {
        let there = try await tx.query(
            """
            SELECT id, is_active FROM webhook_endpoints
             WHERE company_id = \(company) AND id = ANY(\(ids)) ORDER BY id FOR UPDATE
            """)
        guard there.count == ids.count else { throw Problem.notFound }
        let others = try there.filter { try $0.get("is_active") != isActive }.map {
            try $0.get("id", as: UUID.self)
        }
        var changes = Changes()
        activate(isActive, &changes)
        var statements: [SQL] = [
            "UPDATE webhook_endpoints SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = ANY(\(others))"
        ]
        for id in others {
            statements.append(isActive ? restart(id) : Lanes.forget(id))
            let action = isActive ? "webhook_endpoint.enabled" : "webhook_endpoint.disabled"
            statements.append(
                Audit.sql(Audit.Entry(action, on: "webhook_endpoint", id), by: call.actor, company: company))
        }
        _ = try await tx.batch(statements)
        return others.count
    }

    private static func activate(_ isActive: Bool, _ changes: inout Changes) {
        changes.set("is_active", isActive)
        changes.set("disabled_reason", to: isActive ? "NULL" : "coalesce(disabled_reason, 'manual')")
        changes.set("disabled_at", to: isActive ? "NULL" : "coalesce(disabled_at, now())")
    }

    /// A lane without the past: what failed before the endpoint was switched on says nothing about now.
    private static func restart(_ id: UUID) -> SQL {
        """
        UPDATE webhook_lanes SET first_failure_at = NULL, slow_steps = 0, hold_until = NULL WHERE endpoint_id = \(id)
        """
    }

    private static func check(url: WebURL, _ call: Call) throws {
        let parts = call.webhooks
        guard parts.allowsHTTP || url.text.lowercased().hasPrefix("https://") else {
            throw Problem(.webhookURLNotAllowed, "It must begin with https://.")
        }
        if let fault = parts.client.refusal(of: url.text) { throw Problem(.webhookURLNotAllowed, fault) }
    }

    /// The patterns, if each of them stands for something.
    private static func known(_ patterns: UpTo<100, EventTypePattern>?, _ call: Call) throws -> [String] {
        let texts = Set((patterns?.items ?? []).map(\.text)).sorted()
        let names = EventTypes.names
        for text in texts where !names.contains(where: { EventTypes.pattern(text, fits: $0) }) {
            let near = NearMiss.hint(text, among: Array(names))
            throw Problem(.webhookEventTypeUnknown, "\"\(text)\" stands for none\(near).")
        }
        return texts
    }

    private static func texts(_ channels: UpTo<20, ChannelName>?) -> [String] {
        Set((channels?.items ?? []).map(\.text)).sorted()
    }

    private static func headers(
        _ fields: UpTo<10, HeaderField>?, of id: UUID, _ ring: KeyRing
    ) -> (names: [String], sealed: [UInt8]?) {
        guard let (names, json) = HeaderField.split(fields?.items ?? []) else { return ([], nil) }
        return (names, ring.sealText(json, "headers", of: id))
    }

    private static func rows(_ id: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query(
            "SELECT \(fragment: WebhookEndpoint.columns) FROM webhook_endpoints WHERE company_id = \(call.company) AND id = \(id)"
        )
    }
}
