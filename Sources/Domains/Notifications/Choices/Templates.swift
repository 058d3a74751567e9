import API
import Core
import Postgres
import Wire

/// The company's own words for a kind of news, by channel and language. Each change is a version that stays.
enum Templates {
    @RouteList static var routes: [Route] {
        GET("/v1/notification-templates", "List templates", .can(.notificationsManage), list)
        POST("/v1/notification-templates", "Make a template", .can(.notificationsManage), create)
            .describe(
                "Mustache with values and sections; `{{name}}` and the values of the kind (`GET "
                    + "/v1/notification-types`), and for mails `{{title}}`, `{{body}}` and `{{link}}` of the inbox."
            )
            .problems(.templateTaken)
            .example(body: [
                "type": "invitation.accepted", "channel": "email", "locale": "en",
                "title": "{{member}} is in", "body": "{{member}} has accepted.\n\nWelcome!",
            ])
        GET("/v1/notification-templates/{id}", "Read a template", .can(.notificationsManage), read)
        PATCH("/v1/notification-templates/{id}", "Change a template", .can(.notificationsManage), change)
        DELETE("/v1/notification-templates/{id}", "Delete a template", .can(.notificationsManage), delete)
        GET(
            "/v1/notification-templates/{id}/versions", "List a template's versions",
            .can(.notificationsManage), versions)
        POST(
            "/v1/notification-templates/{id}/preview", "See what a template makes",
            .can(.notificationsManage), preview
        )
        .example(body: ["values": ["member": "Grace Hopper", "company": "Northwind"]])
        POST(
            "/v1/notification-templates/{id}/test", "Send a template to myself", .can(.notificationsManage),
            test
        )
        .describe("By mail, whatever its channel, to your own address.").rate(.mail)
        .example(body: ["values": ["member": "Grace Hopper", "company": "Northwind"]])
    }

    struct NewTemplate: Codable, Sendable {
        let type: Text<80>
        let channel: NotificationChannel
        let locale: LocaleName
        let title: Text<500>
        let body: Prose<16_000>
        let isActive: Bool?
    }

    struct TemplateChange: Codable, Sendable {
        let title: Text<500>?
        let body: Prose<16_000>?
        let isActive: Bool?
    }

    struct Template: Codable, Sendable {
        let id: UUID
        let type: String
        let channel: NotificationChannel
        let locale: String
        let title: String
        let body: String
        let isActive: Bool
        let version: Int
        let createdAt: Timestamp
        let updatedAt: Timestamp
    }

    struct Filter: ListFilter {
        let type: [Text<80>]?
        let channel: [NotificationChannel]?
        let locale: [Text<20>]?

        static let search = ["title", "body"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Template> {
        try await call.page(list, select(call.company))
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Template> {
        try Single(await call.db.query("\(fragment: select(call.company)) AND id = \(id)"))
    }

    static func create(_ call: Call, _ body: Body<NewTemplate>) async throws -> Created<Template> {
        let (company, id, new) = (try call.company, UUID.v7(), body.value)
        guard NotificationCatalogue.named(new.type.text) != nil else {
            let near = NearMiss.hint(new.type.text, among: NotificationCatalogue.all.map(\.name))
            throw Problem.unprocessable("/type", "unknown", "is no kind of notification\(near)")
        }
        try check(new.title.text, new.body.text)
        _ = try await call.db.batch([
            """
            INSERT INTO notification_templates (company_id, id, type, channel, locale, title, body, is_active)
            VALUES (\(company), \(id), \(new.type), \(new.channel), \(new.locale.text.lowercased()), \(new.title), \(new.body),
                    \(new.isActive ?? true))
            """,
            keep(id, by: try call.user, company),
            Audit.sql(
                Audit.Entry(
                    "notification_template.created", on: "notification_template", id,
                    after: JSON(encoding: new)),
                by: call.actor, company: company),
        ])
        return try Created(await call.db.query("\(fragment: select(company)) AND id = \(id)"))
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<TemplateChange>) async throws -> Single<
        Template
    > {
        let (company, change) = (try call.company, body.value)
        try check(change.title?.text, change.body?.text)
        try await call.db.transaction { tx in
            let before = try await tx.query("\(fragment: select(company)) AND id = \(id) FOR UPDATE")
            guard let row = before.first else { throw Problem.notFound }
            try call.requireVersion(row.get("version"))
            var changes = Changes()
            changes.set("title", change.title)
            changes.set("body", change.body)
            changes.set("is_active", change.isActive)
            let changed = Audit.changed(try JSON(row: row), try JSON(encoding: change))
            _ = try await tx.batch([
                "UPDATE notification_templates SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = \(id)",
                keep(id.value, by: try call.user, company),
                Audit.sql(
                    Audit.Entry(
                        "notification_template.changed", on: "notification_template", id.value,
                        before: changed.before,
                        after: changed.after), by: call.actor, company: company),
            ])
        }
        return try await read(call, id)
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let company = try call.company
        try await call.db.transaction { tx in
            let gone = try await tx.query(
                "DELETE FROM notification_templates WHERE company_id = \(company) AND id = \(id) RETURNING type"
            )
            guard let row = gone.first else { throw Problem.notFound }
            try await Audit.record(
                Audit.Entry(
                    "notification_template.deleted", on: "notification_template", id.value,
                    before: ["type": .string(row.get("type"))]), by: call.actor, company: company, in: tx)
        }
        return NoContent()
    }

    struct Version: Codable, Sendable {
        let version: Int
        let title: String
        let body: String
        let changedBy: UUID?
        let createdAt: Timestamp
    }

    static func versions(_ call: Call, _ id: Path<UUID>) async throws -> Page<Version> {
        let rows = try await call.db.query(
            """
            SELECT version, title, body, changed_by, created_at FROM notification_template_versions
             WHERE company_id = \(call.company) AND template_id = \(id) ORDER BY version DESC LIMIT 100
            """)
        if rows.isEmpty { throw Problem.notFound }
        return Page(all: rows)
    }

    // MARK: trying out

    struct Trial: Codable, Sendable {
        let values: [String: JSON]?
    }

    struct Preview: Codable, Sendable {
        let title: String
        let body: String
        let html: String
    }

    static func preview(_ call: Call, _ id: Path<UUID>, _ body: Body<Trial>) async throws -> Single<Preview> {
        let text = try await rendered(id.value, body.value, call)
        let mail = try MailRenderer.render(
            .notification, locale: text.locale,
            context: ["name": "Ada", "subject": text.title, "body": text.body])
        return Single(Preview(title: text.title, body: text.body, html: mail.html))
    }

    struct Sent: Codable, Sendable {
        let messageId: UUID
    }

    static func test(_ call: Call, _ id: Path<UUID>, _ body: Body<Trial>) async throws -> Accepted<Sent> {
        let (company, user, mail) = (try call.company, try call.user, UUID.v7())
        let text = try await rendered(id.value, body.value, call)
        try await call.db.transaction { tx in
            let rows = try await tx.query("SELECT email, name FROM users WHERE id = \(user)")
            // Nobody's delivery: it is queued under a template that is not followed on its way.
            var message = Mail.Message(
                .notification, to: try rows[0].get("email"), name: try rows[0].get("name"),
                locale: text.locale,
                context: ["subject": text.title, "body": text.body])
            message.id = mail
            try await Mail.queue(message, in: tx)
            try await Audit.record(
                Audit.Entry("notification_template.tested", on: "notification_template", id.value),
                by: call.actor,
                company: company, in: tx)
        }
        return Accepted(Sent(messageId: mail))
    }

    private static func rendered(_ id: UUID, _ trial: Trial, _ call: Call) async throws
        -> (title: String, body: String, locale: String)
    {
        let rows = try await call.db.query("\(fragment: select(call.company)) AND id = \(id)")
        guard let row = rows.first else { throw Problem.notFound }
        var values = JSON.Object()
        let type = NotificationCatalogue.named(try row.get("type"))
        for key in type?.values ?? [] { values[key] = .string("‹\(key)›") }
        for (key, value) in trial.values ?? [:] { values[key] = value }
        do {
            let title = try NotificationRenderer.plain(try row.get("title"), .object(values))
            let body = try NotificationRenderer.plain(try row.get("body"), .object(values))
            return (title, body, try row.get("locale"))
        } catch let fault as NotificationRenderer.Fault {
            throw Problem.unprocessable(
                "/values", "not-renderable", "with these values the template \(fault)")
        }
    }

    private static func check(_ title: String?, _ body: String?) throws {
        for (pointer, text) in [("/title", title), ("/body", body)] {
            guard let text else { continue }
            do { try NotificationRenderer.check(text) } catch {
                throw Problem.unprocessable(pointer, "no-template", error.description)
            }
        }
    }

    private static func keep(_ id: UUID, by user: UUID, _ company: UUID) -> SQL {
        """
        INSERT INTO notification_template_versions (company_id, template_id, version, title, body, changed_by)
        SELECT company_id, id, version, title, body, \(user) FROM notification_templates
         WHERE company_id = \(company) AND id = \(id)
        """
    }

    private static func select(_ company: UUID) -> SQL {
        """
        SELECT id, type, channel, locale, title, body, is_active, version, created_at, updated_at
          FROM notification_templates WHERE company_id = \(company)
        """
    }
}
