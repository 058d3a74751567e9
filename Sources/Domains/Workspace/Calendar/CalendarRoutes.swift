import API
import Core
import Crypto
import HTTP
import Postgres
import Wire

/// What is due and when: in the product, and in the calendar programs of its people.
enum CalendarRoutes {
    @RouteList static var routes: [Route] {
        GET("/v1/calendar", "Look into the calendar", .member, window)
            .describe(
                "All that one may see between two moments, of all kinds, up to \(WorkspaceNumbers.calendarEntriesMax) entries."
            )
        GET("/v1/calendar/feeds", "List my calendar feeds", .member, list)
        POST("/v1/calendar/feeds", "Make a calendar feed", .member, create).problems(.tooManyFeeds).secret
            .describe(
                "Its address is told this once. Whoever knows it reads the calendar, with the rights its maker has at that "
                    + "moment."
            )
            .example(body: ["name": "My week", "kinds": ["task"], "is_mine_only": true])
        DELETE("/v1/calendar/feeds/{id}", "Revoke a calendar feed", .member, revoke)
        GET("/v1/calendar/feeds/{token}/calendar.ics", "Read a calendar feed", .open, feed).operation(
            "readCalendarFeed"
        )
        .describe(
            "iCalendar (RFC 5545), from \(WorkspaceNumbers.feedDaysBack) days ago to "
                + "\(WorkspaceNumbers.feedDaysAhead) days ahead. The address is the proof."
        )
        .media("text/calendar")
    }

    static func window(_ call: Call, _ query: Query<CalendarWindow>) async throws -> Page<CalendarEntry> {
        guard let member = call.principal else { throw Problem.unauthorized }
        let (from, to) = (query.from, query.to)
        guard from < to, to - from <= WorkspaceNumbers.calendarWindowMax else {
            throw Problem.unprocessable([
                .parameter(
                    "to", "out-of-range",
                    "must be behind `from`, by at most \(WorkspaceNumbers.calendarWindowMax.components.seconds / 86_400) days"
                )
            ])
        }
        let kinds = query.kinds?.map(\.text)
        let parts = call.environment[WorkspaceParts.self]
        let sql = try CalendarEntries.sql(
            of: member, from: from, to: to, kinds: kinds, mine: query.mine ?? false,
            limit: WorkspaceNumbers.calendarEntriesMax, parts)
        return Page(all: try await call.db.query(sql ?? nothing))
    }

    /// No row, with the columns of an entry.
    private static let nothing: SQL = """
        SELECT ''::text AS kind, NULL::uuid AS id, ''::text AS title, NULL::text AS description, ''::text AS link,
               NULL::date AS starts_on, NULL::date AS ends_on, NULL::timestamptz AS starts_at, NULL::timestamptz AS ends_at,
               false AS is_done, 1 AS version, now() AS created_at, now() AS updated_at WHERE false
        """

    struct Filter: ListFilter {
        static let sorts = ["-created_at", "name"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<CalendarFeed> {
        try await call.page(
            list,
            """
            SELECT id, name, kinds, is_mine_only, last_used_at, created_at FROM calendar_feeds
             WHERE company_id = \(call.company) AND user_id = \(call.user)
            """)
    }

    static func create(_ call: Call, _ body: Body<NewCalendarFeed>) async throws -> Created<
        NewCalendarFeedAnswer
    > {
        let (company, user) = (try call.company, try call.user)
        let kinds = body.kinds?.items.map(\.text) ?? []
        let known = call.environment[WorkspaceParts.self].calendar.map(\.kind)
        let faults = kinds.enumerated().filter { !known.contains($0.element) }.map {
            Fault.at("/kinds/\($0.offset)", "not-one-of", "must be one of: \(known.joined(separator: ", "))")
        }
        if !faults.isEmpty { throw Problem.unprocessable(faults) }
        let (id, token) = (UUID.v7(), FeedToken.make(company))
        let limit = RowLimit(
            WorkspaceNumbers.feedsMax,
            "SELECT count(*) FROM calendar_feeds WHERE company_id = \(company) AND user_id = \(user)",
            else: .tooManyFeeds)
        let record = Audit.sql(
            .init("calendar_feed.created", on: "calendar_feed", id, after: ["name": .string(body.name.text)]),
            by: call.actor, company: company)
        let rows = try await call.create(under: limit, also: [record]) { isBelow in
            """
            INSERT INTO calendar_feeds (company_id, id, user_id, name, token_sha256, kinds, is_mine_only)
            SELECT \(company), \(id), \(user), \(body.name), \(token.digest), \(kinds.isEmpty ? nil : kinds)::text[],
                   \(body.isMineOnly ?? true)
             WHERE \(fragment: isBelow)
            RETURNING id, name, kinds, is_mine_only, last_used_at, created_at
            """
        }
        let feed = try rows[0].decode(CalendarFeed.self)
        let base = call.environment[PublicAddress.self].url
        let url =
            "\(base.hasSuffix("/") ? String(base.dropLast()) : base)/v1/calendar/feeds/\(token.text)/calendar.ics"
        return Created(NewCalendarFeedAnswer(feed: feed, url: url), at: "/v1/calendar/feeds/\(id)")
    }

    static func revoke(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let company = try call.company
        try await call.db.transaction { tx in
            let gone = try await tx.query(
                """
                DELETE FROM calendar_feeds WHERE company_id = \(company) AND id = \(id) AND user_id = \(call.user)
                RETURNING name
                """)
            guard let row = gone.first else { throw Problem.notFound }
            let entry = Audit.Entry(
                "calendar_feed.revoked", on: "calendar_feed", id.value,
                before: ["name": .string(try row.get("name"))])
            try await Audit.record(entry, by: call.actor, company: company, in: tx)
        }
        return NoContent()
    }

    private struct StoredFeed: Decodable, Sendable {
        let id: UUID
        let userId: UUID
        let name: String
        let kinds: [String]?
        let isMineOnly: Bool
    }

    static func feed(_ call: Call, _ text: Path<Text<120>>) async throws -> Raw {
        guard let token = FeedToken(text.text) else { throw Problem.notFound }
        let database = call.db.database
        let tenant = Tenant(company: token.company, user: nil)
        let rows = try await database.query(
            """
            SELECT id, user_id, name, kinds, is_mine_only FROM calendar_feeds
             WHERE company_id = \(token.company) AND token_sha256 = \(token.digest)
            """, as: tenant)
        guard let row = rows.first else { throw Problem.notFound }
        let stored = try row.decode(StoredFeed.self)
        let member = try await Principal.member(user: stored.userId, company: token.company, database)
        guard let member else { throw Problem.notFound }
        let day = Duration.seconds(86_400)
        let sql = try CalendarEntries.sql(
            of: member, from: call.now - day * WorkspaceNumbers.feedDaysBack,
            to: call.now + day * WorkspaceNumbers.feedDaysAhead,
            kinds: stored.kinds, mine: stored.isMineOnly, limit: WorkspaceNumbers.feedEntriesMax,
            call.environment[WorkspaceParts.self])
        let file = CalendarFile(name: stored.name, publicURL: call.environment[PublicAddress.self].url)
        if let sql {
            let entries = try await database.query(sql, as: member.tenant)
            for entry in entries { file.add(try entry.decode(CalendarEntry.self)) }
        }
        // Not with every look: programs come every few minutes.
        _ = try await database.query(
            """
            UPDATE calendar_feeds SET last_used_at = now()
             WHERE company_id = \(token.company) AND id = \(stored.id)
               AND (last_used_at IS NULL OR last_used_at < now() - interval '15 minutes')
            """, as: tenant)
        return answer(file.finished(), to: call)
    }

    private static func answer(_ bytes: [UInt8], to call: Call) -> Raw {
        let tag = EntityTag(Hex.encode(SHA256.digest(bytes).bytes.prefix(16)))
        let isKnown = call.holds(tag)
        var response = Response(status: isKnown ? 304 : 200, body: isKnown ? .empty : .bytes(bytes))
        response.headers.add("etag", tag.description)
        response.headers.add("cache-control", "private, max-age=300" as StaticString)
        if !isKnown {
            response.headers.add("content-type", "text/calendar; charset=utf-8" as StaticString)
            response.headers.add("content-disposition", "inline; filename=\"calendar.ics\"" as StaticString)
        }
        return Raw(response)
    }
}

/// The secret of a feed. It names its company in the clear, so that looking it up is a question inside that company.
struct FeedToken {
    let company: UUID
    let text: String

    /// What is stored in place of it.
    var digest: [UInt8] { OpaqueToken.digest(text).bytes }

    static func make(_ company: UUID) -> FeedToken {
        FeedToken(company: company, text: "\(Base64.encode(company.bytes, .url)).\(OpaqueToken.make())")
    }

    /// Nil for what has not the form of one.
    init?(_ text: String) {
        guard let dot = text.firstIndex(of: "."), let bytes = Base64.decode(text[..<dot], .url),
            let company = bytes.withUnsafeBytes({ UUID(bytes: $0) })
        else { return nil }
        self.init(company: company, text: text)
    }

    private init(company: UUID, text: String) {
        self.company = company
        self.text = text
    }
}
