import Core
import Postgres
import TestCluster
import Testing
import Wire

@Suite struct SearchTests {
    let ground: CoreGround
    let company = UUID.v7()

    init() async throws { ground = try await CoreGround() }

    private var tenant: Tenant { Tenant(company: company) }

    private func put(_ text: SearchText, _ id: UUID = .v7()) async throws -> UUID {
        _ = try await ground.database.batch(Search.put("thing", id, text, company: company), as: tenant)
        return id
    }

    private func put(_ title: String, body: String? = nil) async throws -> UUID {
        try await put(SearchText(title: [title], body: [body]))
    }

    /// What is found, best first.
    private func found(_ q: String, as company: UUID? = nil) async throws -> [UUID] {
        let company = company ?? self.company
        let rows = try await ground.database.query(
            """
            SELECT subject_id FROM (\(fragment: Search.matching("thing", q, company: company))) AS found
             ORDER BY rank DESC, subject_id
            """, as: Tenant(company: company))
        return try rows.map { try $0.get("subject_id") }
    }

    @Test func `letters are compared without case and without what stands above them`() async throws {
        let id = try await put("Crème brûlée für Straße, Øre & Łódź, Nguyễn")
        for q in ["CREME", "brulee fur", "strasse", "STRASSE", "øre", "ore", "lodz", "nguyen", "Crème"] {
            #expect(try await found(q) == [id], "\(q)")
        }
        // The same letters with their marks written apart.
        let apart = try await put("Re\u{301}sume\u{301}")
        #expect(try await found("résumé") == [apart])
        let other = try await put("Привет МИР")
        #expect(try await found("мир") == [other])
    }

    @Test func `each word of the query is needed, by its beginning at least`() async throws {
        let plan = try await put("Quarterly planning", body: "of the harbour")
        let other = try await put("Quarterly report")
        #expect(try await Set(found("quarter")) == [plan, other])
        #expect(try await found("quarterly plan") == [plan])
        #expect(try await found("har quart") == [plan])
        #expect(try await found("quarterly ship") == [])
        #expect(try await found("") == [])
        #expect(try await found(" -!? ") == [])
    }

    @Test func `a slip is forgiven in longer words, and a second one where it is a letter too many`()
        async throws
    {
        let id = try await put("Marketing Meier")
        for q in [
            "marketng", "marketting", "makreting", "markating", "meyer", "miere", "meierr", "markettingg",
        ] {
            #expect(try await found(q) == [id], "\(q)")
        }
        let short = try await put("cat")
        #expect(try await found("cta") == [])
        #expect(try await found("cat") == [short])
        // Numbers are meant as they are.
        _ = try await put("48213")
        #expect(try await found("48214") == [])
    }

    @Test func `whole words rank above beginnings, those above slips, titles above bodies`() async throws {
        let slip = try await put("Reporz")
        let bodyStart = try await put("b", body: "reports")
        let start = try await put("Reporting")
        let whole = try await put("Report")
        #expect(try await found("report") == [whole, start, bodyStart, slip])
    }

    @Test func `keys and addresses are found whole and by part, telephone numbers however they are written`()
        async throws
    {
        let key = try await put("WEB-142 Launch")
        #expect(try await found("web-142") == [key])
        #expect(try await found("142") == [key])
        let person = try await put(
            SearchText(title: ["Anna", "anna.berg@example.com"], phones: ["+49 (170) 123-4567"]))
        for q in [
            "anna.berg@example.com", "berg@exam", "example.com", "0170 1234567", "+49 170 1234567",
            "004917012", "1701234",
        ] {
            #expect(try await found(q) == [person], "\(q)")
        }
        #expect(try await found("0171 1234567") == [])
    }

    @Test func `a thing is found by what it says now`() async throws {
        let id = try await put("Harbour lights", body: "old words")
        _ = try await put(SearchText(title: ["Mountain"], body: ["harbour"]), id)
        #expect(try await found("lights") == [])
        #expect(try await found("mountain harbour") == [id])
        _ = try await ground.database.batch(Search.remove("thing", [id], company: company), as: tenant)
        #expect(try await found("mountain") == [])
    }

    @Test func `what has not changed is not written again`() async throws {
        let id = try await put("Steady words", body: "remain")
        let place: SQL =
            "SELECT string_agg(ctid::text, ' ' ORDER BY word) FROM search_uses WHERE subject_id = \(id)"
        let before = try await ground.database.query(place, as: tenant)[0].get(0, as: String.self)
        _ = try await put(SearchText(title: ["Steady words"], body: ["remain"]), id)
        #expect(try await ground.database.query(place, as: tenant)[0].get(0, as: String.self) == before)
    }

    @Test func `another company's words are not found`() async throws {
        _ = try await put("Secret harbour")
        let stranger = UUID.v7()
        #expect(try await found("harbour", as: stranger) == [])
        // Row-level security says so, not only the condition.
        let rows = try await ground.database.query(
            Search.matching("thing", "harbour", company: company), as: Tenant(company: stranger))
        #expect(rows.isEmpty)
    }

    @Test func `a thousand things are put at once, and each is found`() async throws {
        let things = (0..<1_000).map {
            (id: UUID.v7(), text: SearchText(title: ["Import run number n\($0)"]))
        }
        let statements = Search.put("thing", things, areNew: true, company: company)
        #expect(statements.count <= 4)
        _ = try await ground.database.batch(statements, as: tenant)
        #expect(try await found("import n777") == [things[777].id])
        #expect(try await found("import").count == 1_000)
    }

    @Test func `a long text does not fill the index`() async throws {
        let text = (0..<2_000).map { "word\($0)" }.joined(separator: " ")
        let id = try await put("Title", body: text)
        let count = try await ground.count(
            "SELECT count(*) FROM search_uses WHERE subject_id = \(id)", as: tenant)
        #expect(count == SearchLimits.wordsMax)
    }

    @Test func `many who bring the same new words at once do not stop each other`() async throws {
        let words = (0..<40).map {
            "novel\(String(repeating: "x", count: $0 % 7))\(Unicode.Scalar(UInt8(97 + $0 % 26)))"
        }
        let database = ground.database
        let (company, tenant) = (company, tenant)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<64 {
                group.addTask {
                    try await database.transaction(as: tenant) { tx in
                        // One after another in an order of one's own, as no caller should.
                        for word in words.shuffled().prefix(10) {
                            _ = try await tx.batch(
                                Search.put("thing", .v7(), SearchText(title: [word]), company: company))
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await found("novel").count == 640)
        try await SearchUpkeep.tidy(company, database)
        #expect(
            try await ground.count("SELECT count(*) - count(DISTINCT word) FROM search_words", as: tenant)
                == 0)
        #expect(
            try await ground.count(
                "SELECT count(*) - count(DISTINCT (variant, word)) FROM search_variants", as: tenant) == 0)
    }

    @Test func `words that nothing uses any more leave the dictionary`() async throws {
        let id = try await put("Ephemeral")
        let kept = try await put("Lasting")
        _ = try await ground.database.batch(Search.remove("thing", [id], company: company), as: tenant)
        try await SearchUpkeep.tidy(company, ground.database)
        let words: [String] = try await ground.database.query("SELECT word FROM search_words", as: tenant)
            .map { try $0.get("word") }
        #expect(words == ["lasting"])
        let left = try await ground.count(
            "SELECT count(*) FROM search_variants WHERE word <> 'lasting'", as: tenant)
        #expect(left == 0)
        #expect(try await found("lastng") == [kept])
    }

    @Test func `a search reads its indexes alone`() async throws {
        let things = (0..<1_000).map {
            (id: UUID.v7(), text: SearchText(title: ["Thing n\($0)", $0 == 5 ? "lighthouse" : nil]))
        }
        _ = try await ground.database.batch(
            Search.put("thing", things, areNew: true, company: company), as: tenant)
        let explained: SQL = "EXPLAIN \(fragment: Search.matching("thing", "lighthose n5", company: company))"
        let plan = try await ground.database.query(explained, as: tenant).map {
            try $0.get(0, as: String.self)
        }
        .joined(separator: "\n")
        #expect(!plan.contains("Seq Scan on search_"), "\(plan)")
        #expect(plan.contains("word >= 'n5'"), "\(plan)")
    }
}
