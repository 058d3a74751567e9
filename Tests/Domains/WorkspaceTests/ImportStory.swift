import TestSupport
import Testing
import Wire

@Suite struct ImportStory {
    private func upload(_ desk: Desk, _ csv: String, target: JSON = [:]) async throws -> String {
        try await desk.client.post("/v1/imports", ["kind": "note", "csv": .string(csv), "target": target])
            .expect(201).json.text("id")
    }

    /// The import, once it is in that state.
    private func wait(_ desk: Desk, _ id: String, for state: String) async throws -> JSON {
        try await eventually(within: .seconds(20)) {
            let found = try await desk.client.get("/v1/imports/\(id)").expect(200).json
            return found["state"] == .string(state) ? .some(found) : .none
        }
    }

    private func titles(_ desk: Desk) async throws -> [String] {
        try await desk.client.get("/v1/jottings?sort=title&limit=100").data.compactMap {
            $0["title"]?.stringValue
        }
    }

    private func rows(_ desk: Desk, _ id: String, _ query: String = "") async throws -> [JSON] {
        try await desk.client.get("/v1/imports/\(id)/rows?sort=n\(query)").expect(200).data
    }

    @Test func `a table is understood, tried and brought in, and every row is accounted for`() async throws {
        let desk = try await Desk()
        let csv =
            "\u{FEFF}Titel;Deadlin;Tags\r\n\"Poster; large\";2026-12-01;Print, Launch\r\nFlyer;soon;\r\n;2026-12-02;\r\ncursed;;\r\nSpot;;launch\r\n"
        let id = try await upload(desk, csv)
        let read = try await desk.client.get("/v1/imports/\(id)").json
        #expect(read["delimiter"] == ";" && read["encoding"] == "utf-8" && read["has_header"] == true)
        #expect(read["headers"] == ["Titel", "Deadlin", "Tags"])
        #expect(read["sample"]?[0] == ["Poster; large", "2026-12-01", "Print, Launch"])
        #expect(
            read["mapping"] == [
                ["column": 0, "key": "title"], ["column": 1, "key": "due_on"], ["column": 2, "key": "tags"],
            ])
        try await desk.client.post("/v1/imports/\(id)/dry-run").expect(202)
        let tried = try await wait(desk, id, for: "checked")
        #expect(tried["created_count"] == 2 && tried["failed_count"] == 3 && tried["progress"] == 100)
        #expect(try await titles(desk).isEmpty)
        #expect(try await desk.client.get("/v1/tags").data.isEmpty)
        let states: [JSON] = ["created", "failed", "failed", "failed", "created"]
        #expect(try await rows(desk, id, "&is_dry=true").map { $0["state"] ?? .null } == states)
        try await desk.client.post("/v1/imports/\(id)/start").expect(202)
        let done = try await wait(desk, id, for: "done")
        #expect(done["created_count"] == 2 && done["failed_count"] == 3 && done["rows_done"] == 5)
        #expect(try await titles(desk) == ["Poster; large", "Spot"])
        let failed = try await rows(desk, id, "&state=failed")
        #expect(failed.map { $0["n"] } == [2, 3, 4])
        #expect(failed.map { $0["faults"]?[0]?["column"] } == ["due_on", "title", .null])
        #expect(try await rows(desk, id, "&is_dry=true").isEmpty)
        let report = try await desk.client.get("/v1/imports/\(id)/errors.csv").expect(200).text
        #expect(
            report.hasPrefix(
                "row,faults,Titel,Deadlin,Tags\r\n2,due_on is no day like 2026-12-01,Flyer,soon,\r\n"))
        #expect(try await desk.news(of: desk.owner) == ["import.finished"])
        #expect(try await desk.events("import.%") == ["import.finished"])
        #expect(try await desk.client.post("/v1/imports/\(id)/start").code == "import-over")
    }

    @Test func `an import that breaks off half-way goes on where it was`() async throws {
        let desk = try await Desk()
        let lines = (1...2_500).map { "Row \($0)" }
        let id = try await upload(desk, "title\n" + lines.joined(separator: "\n"))
        NoteImport.trap.withLock { _ = $0.insert("Row 1500") }
        try await desk.client.post("/v1/imports/\(id)/start").expect(202)
        let done = try await wait(desk, id, for: "done")
        #expect(done["created_count"] == 2_500 && done["rows_done"] == 2_500)
        let count = try await desk.server.instance.database.query(
            "SELECT count(*) AS all, count(DISTINCT title) AS titles FROM notes WHERE company_id = \(desk.company)",
            as: .init(company: desk.company, user: nil))
        #expect(
            try count[0].get("all", as: Int.self) == 2_500 && count[0].get("titles", as: Int.self) == 2_500)
        let job = try done.text("job_id")
        #expect(try await desk.client.get("/v1/jobs/\(job)").json["attempt"] == 2)
    }

    @Test func `an undo takes back what nobody has touched since`() async throws {
        let desk = try await Desk()
        let old = try await desk.note("Old", ["due_on": "2026-01-01"])
        let id = try await upload(
            desk, "title,due_on\nOld,2026-02-02\nNew,2026-03-03\nTouched,\n", target: ["match": "title"])
        try await desk.client.post("/v1/imports/\(id)/start").expect(202)
        let done = try await wait(desk, id, for: "done")
        #expect(done["changed_count"] == 1 && done["created_count"] == 2)
        let touched = try await desk.client.get("/v1/jottings?title=Touched").data[0].text("id")
        _ = try await desk.client.patch("/v1/jottings/\(touched)", ["title": "Mine now"]).expect(200)
        try await desk.client.post("/v1/imports/\(id)/undo").expect(202)
        let undone = try await wait(desk, id, for: "undone")
        #expect(undone["undone_count"] == 2)
        let notes = try await desk.client.get("/v1/jottings?sort=title").data
        #expect(notes.map { $0["title"] } == ["Mine now", "Old"])
        #expect(notes[1]["id"] == old["id"] && notes[1]["due_on"] == "2026-01-01")
        #expect(try await rows(desk, id).map { $0["state"] } == ["undone", "undone", "kept"])
        #expect(try await desk.client.post("/v1/imports/\(id)/undo").code == "import-not-done")
    }

    @Test func `a mapping is checked, and another delimiter reads the file anew`() async throws {
        let desk = try await Desk()
        let id = try await upload(desk, "Titel|Wann\nA|2026-12-01\n")
        let path = "/v1/imports/\(id)"
        let wrong: JSON = [
            "mapping": [
                ["column": 7, "key": "title"], ["column": 0, "key": "titel"], ["column": 0, "key": "title"],
            ]
        ]
        #expect(
            try await desk.client.patch(path, wrong).places
                == ["/mapping/0/column", "/mapping/1/key", "/mapping/2"])
        #expect(
            try await desk.client.patch(path, ["mapping": [["column": 1, "key": "due_on"]]]).status == 200)
        #expect(try await desk.client.post("\(path)/start").places == ["/mapping"])
        let anew = try await desk.client.patch(path, ["delimiter": ",", "has_header": false]).expect(200).json
        #expect(
            anew["headers"] == ["Column 1"] && anew["sample"]?[0] == ["Titel|Wann"] && anew["mapping"] == [])
        #expect(try await desk.client.get("\(path)/columns").json["columns"]?[0]?["key"] == "title")
        #expect(
            try await desk.client.post("/v1/imports", ["kind": "star", "csv": "a\n"]).places == ["/kind"])
        #expect(try await desk.client.post("/v1/imports", ["kind": "note"]).places == ["/csv"])
        #expect(
            try await desk.client.post("/v1/imports", ["kind": "note", "csv": "\n\n"]).code == "import-empty")
    }

    @Test func `an import is its owner's, and a stopped one stays stopped`() async throws {
        let desk = try await Desk()
        let grace = try await desk.owner.colleague(.manager)
        let id = try await upload(desk, "title\n" + (1...4_000).map { "Row \($0)" }.joined(separator: "\n"))
        #expect(try await grace.client.get("/v1/imports/\(id)").status == 404)
        #expect(try await desk.client.post("/v1/imports/\(id)/cancel").code == "import-not-busy")
        try await desk.client.post("/v1/imports/\(id)/start").expect(202)
        let stopped = try await desk.client.post("/v1/imports/\(id)/cancel")
        guard stopped.status == 200 else { return #expect(stopped.code == "import-not-busy") }
        let job = try stopped.json.text("job_id")
        _ = try await eventually {
            let state = try await desk.client.get("/v1/jobs/\(job)").json["state"]
            return state == "cancelled" ? .some(true) : .none
        }
        let after = try await desk.client.get("/v1/imports/\(id)").json
        #expect(after["state"] == "cancelled" && after["rows_done"]?.intValue ?? 9_999 < 4_000)
        #expect(try await rows(desk, id, "&limit=100").count == min(100, after["rows_done"]?.intValue ?? 0))
    }
}
