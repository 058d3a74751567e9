import API
import Testing
import Wire

@Suite struct ListTests {
    private let ground: Ground
    private let client: Client

    init() async throws {
        ground = try await Ground()
        client = ground.client()
        try ground.test.psql(
            """
            INSERT INTO boards (company_id, id, name, note, state, price_cents, created_at)
            SELECT '00000000-0000-0001-0000-000000000001', gen_random_uuid(), 'board ' || lpad(n::text, 3, '0'),
                   CASE WHEN n % 10 = 0 THEN '100% done_' || n END,
                   CASE n % 3 WHEN 0 THEN 'open' WHEN 1 THEN 'closed' ELSE 'on_hold' END, n / 10,
                   '2026-01-01'::timestamptz + (n / 4) * interval '1 hour'
            FROM generate_series(0, 99) AS n;
            INSERT INTO boards (company_id, id, name, price_cents)
            VALUES ('00000000-0000-0002-0000-000000000001', gen_random_uuid(), 'theirs', 1);
            """)
    }

    /// Follows the cursor to the end and gives the names in order.
    private func names(_ query: String) throws -> [String] {
        var names: [String] = []
        var cursor: String?
        repeat {
            let page = try client.get("/v1/boards?\(query)" + (cursor.map { "&cursor=\($0)" } ?? ""))
            guard page.status == 200 else {
                Issue.record("\(page.text)")
                return names
            }
            names += page.json["data"]!.arrayValue!.map { $0["name"]!.stringValue! }
            cursor = page.json["page"]?["next_cursor"]?.stringValue
            #expect(page.json["page"]?["has_more"] == .bool(cursor != nil))
            #expect((page["link"] != nil) == (cursor != nil))
        } while cursor != nil
        return names
    }

    @Test(arguments: [
        "", "sort=created_at", "sort=-price_cents", "sort=price_cents,-name", "sort=-created_at,name",
        "sort=id",
    ])
    func `pages put together are the whole list, in order, each row once`(sort: String) throws {
        let paged = try names("limit=7&\(sort)")
        #expect(paged.count == 100)
        #expect(Set(paged).count == 100)
        #expect(try names("limit=100&\(sort)") == paged)
    }

    @Test func `the order is the one asked for`() throws {
        #expect(try names("sort=name&limit=60") == (0..<100).map { "board \($0 < 10 ? "00" : "0")\($0)" })
        let mixed = try names("sort=price_cents,-name&limit=9")
        #expect(Array(mixed.prefix(11)) == (0..<10).reversed().map { "board 00\($0)" } + ["board 019"])
    }

    @Test func `filters, bounds and search narrow it`() throws {
        #expect(try names("state=open,closed&limit=50").count == 67)
        #expect(try names("price_cents=3").count == 10)
        #expect(
            try names("created_at[gte]=2026-01-01T10:00:00Z&created_at[lt]=2026-01-01T12:00:00Z").count == 8)
        #expect(try names("q=100%25%20done_5") == ["board 050"])
        #expect(try names("q=%25").count == 10)
        #expect(try names("q=BOARD+099") == ["board 099"])
    }

    @Test func `fields prints only what is asked for, and the next page still follows`() throws {
        let page = try client.get("/v1/boards?fields=state,name&limit=2&sort=-price_cents")
        let first = try #require(page.json["data"]?[0]?.objectValue)
        #expect(first.members.map(\.key) == ["name", "state"])
        #expect(try names("fields=name&limit=30").count == 100)
        #expect(try client.get("/v1/boards?fields=nam").text.contains("perhaps name was meant"))
    }

    @Test func `expand prints whole what an item names, in a list and alone`() throws {
        let plain = try client.get("/v1/boards?limit=2&state=open").json["data"]?[0]
        #expect(plain?["of_its_state"] == nil)
        let page = try client.get(
            "/v1/boards?expand=of_its_state&fields=name&limit=2&state=open&sort=-price_cents")
        let first = try #require(page.json["data"]?[0])
        #expect(first.objectValue?.members.map(\.key) == ["name", "of_its_state"])
        #expect(first["of_its_state"] == ["state": "open", "boards": 34])
        let next = try #require(page.json["page"]?["next_cursor"]?.stringValue)
        #expect(
            try client.get(
                "/v1/boards?expand=of_its_state&limit=2&state=open&sort=-price_cents&cursor=\(next)"
            ).status == 200)
        let id = try #require(plain?["id"]?.stringValue)
        #expect(try client.get("/v1/boards/\(id)?expand=of_its_state").json["of_its_state"]?["boards"] == 34)
        #expect(try client.get("/v1/boards/\(id)").json["of_its_state"] == nil)
        for query in ["/v1/boards?expand=of_its_stat", "/v1/boards/\(id)?expand=name"] {
            let refused = try client.get(query)
            #expect(refused.status == 422 && refused.text.contains("of_its_state"))
        }
    }

    @Test func `the count is told when asked for`() throws {
        #expect(
            try client.get("/v1/boards?count=estimated&limit=1&state=open").json["page"]?["estimated_total"]
                == 34)
    }

    @Test func `a cursor is good for its own list alone`() throws {
        let page = try client.get("/v1/boards?limit=5&state=open")
        let cursor = try #require(page.json["page"]?["next_cursor"]?.stringValue)
        #expect(page["link"] == "</v1/boards?limit=5&state=open&cursor=\(cursor)>; rel=\"next\"")
        #expect(try client.get("/v1/boards?limit=9&state=open&cursor=\(cursor)").status == 200)
        for query in ["", "state=closed&", "state=open&sort=name&", "state=open&q=b&"] {
            #expect(
                try client.get("/v1/boards?\(query)cursor=\(cursor)").code == "invalid-cursor", "\(query)")
        }
        #expect(
            try client.as("owner-1").get("/v1/boards?state=open&cursor=\(cursor)").code == "invalid-cursor")
        let forged = String(cursor.dropLast()) + (cursor.hasSuffix("A") ? "B" : "A")
        #expect(try client.get("/v1/boards?state=open&cursor=\(forged)").code == "invalid-cursor")
    }
}
