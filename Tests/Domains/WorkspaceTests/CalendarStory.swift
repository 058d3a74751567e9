import TestSupport
import Testing
import Wire

@Suite struct CalendarStory {
    private func today(_ days: Int = 0) -> JSON {
        .string(LocalDate(daysSince1970: Int(Timestamp.now.seconds / 86_400) + days).description)
    }

    /// The feed's answer, at its secret address.
    private func read(_ desk: Desk, _ url: String, holding tag: String? = nil) async throws -> Answer {
        let path = url.range(of: "/v1/").map { String(url[$0.lowerBound...]) } ?? url
        let client = desk.server.client
        return try await (tag.map { client.with(header: "If-None-Match", $0) } ?? client).get(path)
    }

    @Test func `a feed is what its maker may see, under an address that can be revoked`() async throws {
        let desk = try await Desk()
        let grace = try await desk.owner.colleague(.member)
        let long = "Launch; \"große\" Feier, \\ mit " + String(repeating: "Ä😀", count: 30)
        _ = try await desk.note(long, ["due_on": today(3)])
        _ = try await desk.note("Secret", ["due_on": today(4), "is_secret": true])
        _ = try await desk.note("Long ago", ["due_on": "2020-01-01"])
        let made = try await grace.client.post(
            "/v1/calendar/feeds", ["name": "Work, all", "is_mine_only": false]
        ).expect(201)
        let url = try made.json.text("url")
        let read = try await read(desk, url).expect(200)
        #expect(read.header("content-type") == "text/calendar; charset=utf-8")
        let lines = read.text.split(separator: "\r\n", omittingEmptySubsequences: false)
        #expect(lines.last == "" && !read.text.replacing("\r\n", with: "").contains("\n"))
        #expect(lines.allSatisfy { $0.utf8.count <= 75 })
        #expect(!read.text.contains("Secret") && !read.text.contains("Long ago"))
        let unfolded = read.text.replacing("\r\n ", with: "")
        #expect(
            unfolded.contains(
                "SUMMARY:Launch\\; \"große\" Feier\\, \\\\ mit ÄÄ".replacing("ÄÄ", with: "Ä😀Ä😀")))
        #expect(try await self.read(desk, url, holding: read.header("etag")!).status == 304)
        _ = try await desk.note("Fresh", ["due_on": today(5)])
        #expect(try await self.read(desk, url, holding: read.header("etag")!).status == 200)
        let id = try (made.json["feed"] ?? .null).text("id")
        #expect(try await desk.client.delete("/v1/calendar/feeds/\(id)").status == 404)
        #expect(try await grace.client.get("/v1/calendar/feeds").data[0]["last_used_at"]?.isNull == false)
        #expect(try await grace.client.delete("/v1/calendar/feeds/\(id)").status == 204)
        #expect(try await self.read(desk, url).status == 404)
        #expect(try await self.read(desk, "/v1/calendar/feeds/no.token/calendar.ics").status == 404)
    }

    @Test(.enabled(if: Python.knows("icalendar"))) func `a feed is read by others as it was meant`()
        async throws
    {
        let desk = try await Desk()
        let title = "Launch; \"große\" Feier, \\ mit " + String(repeating: "Ä😀", count: 40)
        _ = try await desk.note(title, ["due_on": "2026-12-24"])
        let url = try await desk.client.post("/v1/calendar/feeds", ["name": "Work"]).expect(201).json.text(
            "url")
        let script = """
            import json, sys, icalendar
            calendar = icalendar.Calendar.from_ical(open(sys.argv[1], "rb").read())
            event, = calendar.walk("VEVENT")
            assert not calendar.errors and not event.errors
            print(json.dumps([str(calendar["NAME"]), str(event["SUMMARY"]), str(event.decoded("DTSTART")), str(event.decoded("DTEND")),
                              len(calendar.errors), event.decoded("DTSTAMP").tzname()]))
            """
        let read = try JSON.parse(try Python.run(script, over: try await read(desk, url).expect(200).body))
        #expect(read == ["Work", .string(title), "2026-12-24", "2026-12-25", 0, "UTC"])
    }

    @Test func `a feed ends with the membership of its maker`() async throws {
        let desk = try await Desk()
        let grace = try await desk.owner.colleague(.member)
        let url = try await grace.client.post("/v1/calendar/feeds", ["name": "Work"]).expect(201).json.text(
            "url")
        #expect(try await read(desk, url).status == 200)
        try await desk.client.put(
            "/v1/members/\(try await desk.member(grace))/suspension", ["reason": "Leave"]
        ).expect(200)
        #expect(try await read(desk, url).status == 404)
    }

    @Test func `the calendar is a window on what one may see`() async throws {
        let desk = try await Desk()
        let grace = try await desk.owner.colleague(.member)
        _ = try await desk.note("Later", ["due_on": "2026-12-24"])
        _ = try await desk.note("Sooner", ["due_on": "2026-12-02"])
        _ = try await desk.note("Mine", ["due_on": "2026-12-03"], by: grace)
        let window = "/v1/calendar?from=2026-12-01T00:00:00Z&to=2026-12-31T00:00:00Z"
        #expect(try await desk.client.get(window).data.map { $0["title"] } == ["Sooner", "Mine", "Later"])
        #expect(try await grace.client.get("\(window)&mine=true").data.map { $0["title"] } == ["Mine"])
        #expect(try await desk.client.get("\(window)&kinds=planet").data.isEmpty)
        #expect(
            try await desk.client.get("/v1/calendar?from=2026-12-01T00:00:00Z&to=2026-11-01T00:00:00Z").places
                == ["to"])
    }
}
