import Core
import Postgres
import TestSupport
import Testing
import Wire

@Suite struct ExportStory {
    private func made(_ desk: Desk, _ body: JSON, by person: Person? = nil) async throws -> (
        detail: JSON, text: String
    ) {
        let client = (person ?? desk.owner).client
        let id = try await client.post("/v1/exports", body).expect(202).json.text("id")
        let detail = try await eventually {
            let found = try await client.get("/v1/exports/\(id)").expect(200).json
            return found["export"]?["state"] == "running" ? .none : .some(found)
        }
        guard let url = detail["url"]?.stringValue, let path = url.range(of: "/v1/") else {
            return (detail, "")
        }
        let file = try await desk.server.client.get(String(url[path.lowerBound...]))
        return (detail, file.text)
    }

    private func filled() async throws -> Desk {
        let desk = try await Desk()
        let tag = try await desk.tag("Launch")
        _ = try await desk.note("Beta, \"large\"", ["due_on": "2026-12-01", "tag_ids": [.string(tag)]])
        _ = try await desk.note("=HYPERLINK(\"x\")")
        _ = try await desk.note("Mine alone", ["is_secret": true])
        return desk
    }

    @Test func `a table goes out as CSV, harmless to spreadsheets, and is told of`() async throws {
        let desk = try await filled()
        let (detail, text) = try await made(
            desk, ["kind": "note", "format": "csv", "sort": "title", "columns": ["title", "due_on", "tags"]])
        #expect(detail["export"]?["state"] == "done" && detail["export"]?["rows_done"] == 3)
        let lines = [
            "Title,Due,Tags", "\"'=HYPERLINK(\"\"x\"\")\",,", "\"Beta, \"\"large\"\"\",2026-12-01,Launch",
            "Mine alone,,", "",
        ]
        #expect(text == lines.joined(separator: "\r\n"))
        #expect(try await desk.news(of: desk.owner) == ["export.ready"])
        #expect(try await desk.events("export.%") == ["export.finished"])
    }

    @Test func `one takes out what one may see, filtered as the list is or as a view is`() async throws {
        let desk = try await filled()
        let grace = try await desk.owner.colleague(.member)
        let (_, all) = try await made(
            desk, ["kind": "note", "format": "ndjson", "columns": ["title"]], by: grace)
        #expect(all.split(separator: "\n").count == 2 && !all.contains("Mine"))
        let view: JSON = ["kind": "note", "name": "Due", "filter": ["due_on": ["gte": "2026-11-01"]]]
        let saved = try await desk.client.post("/v1/saved-views", view).expect(201).json
        let (_, due) = try await made(
            desk,
            ["kind": "note", "format": "ndjson", "columns": ["title"], "saved_view_id": saved["id"] ?? .null])
        #expect(due == "{\"title\":\"Beta, \\\"large\\\"\"}\n")
        let wrong: JSON = [
            "kind": "note", "format": "csv", "filter": ["colour": "red"], "columns": ["title", "size"],
            "sort": "x",
        ]
        #expect(
            Set(try await desk.client.post("/v1/exports", wrong).expect(422).places) == [
                "/filter/colour", "/columns/1", "/sort",
            ])
        let direct = try await desk.client.post(
            "/v1/exports/direct",
            ["kind": "note", "format": "csv", "columns": ["title"], "filter": ["q": "beta"]])
        #expect(direct.text == "Title\r\n\"Beta, \"\"large\"\"\"\r\n")
        let client = try await desk.owner.colleague(.client)
        #expect(try await client.client.post("/v1/exports", ["kind": "note", "format": "csv"]).status == 403)
    }

    @Test(.enabled(if: Python.knows("openpyxl")))
    func `a workbook opens elsewhere, with numbers as numbers and texts as texts`() async throws {
        let desk = try await filled()
        let body: JSON = [
            "kind": "note", "format": "xlsx", "sort": "title", "columns": ["title", "due_on", "version"],
        ]
        let taken = try await desk.client.post("/v1/exports/direct", body).expect(200)
        let script = """
            import json, sys, io, openpyxl
            book = openpyxl.load_workbook(io.BytesIO(open(sys.argv[1], "rb").read()))
            sheet = book["Notes"]
            print(json.dumps([[c.value for c in row] for row in sheet.iter_rows()] + [[c.data_type for c in sheet[2]]]))
            """
        let rows = try JSON.parse(try Python.run(script, over: taken.body))
        let wanted: JSON = [
            ["Title", "Due", "Version"], ["=HYPERLINK(\"x\")", nil, 1], ["Beta, \"large\"", "2026-12-01", 1],
            ["Mine alone", nil, 1],
        ]
        #expect(Array(rows.arrayValue?.prefix(4) ?? []) == wanted.arrayValue)
        #expect(rows[4]?[0] != "f")
    }

    @Test func `who waits for an export that cannot be made is told, by mail as well`() async throws {
        struct Arguments: Codable, Sendable { let id: UUID }
        let desk = try await Desk()
        let (company, user, id) = (desk.company, UUID(desk.owner.userId)!, UUID.v7())
        try await desk.server.instance.database.transaction(as: Tenant(company: company, user: nil)) { tx in
            // As a key's with too few scopes: it may do no more than they, whoever owns the key.
            _ = try await tx.query(
                """
                INSERT INTO exports (company_id, id, kind, filter, columns, format, created_by, permissions_max)
                VALUES (\(company), \(id), 'note', '{}', '{title}', 'csv', \(user), '{exports:run}')
                """)
            let kind = JobKind<Arguments>("workspace.export", queue: "exports")
            try await Jobs.enqueue(kind, Arguments(id: id), company: company, in: tx)
        }
        let item = try await eventually {
            let news = try await desk.client.get("/v1/notifications").expect(200).data
            return news.first { $0["type"] == "export.failed" }
        }
        #expect(item["title"] == "Your export could not be made: Notes")
        #expect(try await desk.client.get("/v1/exports/\(id)").json["export"]?["state"] == "failed")
        _ = try await eventually {
            try await desk.server.mails(to: desk.owner.email)
                .first { $0["context"]?["subject"] == "Your export could not be made: Notes" }
        }
    }

    @Test func `what a key begins goes on within its scopes`() async throws {
        let desk = try await Desk()
        let scopes: [JSON] = ["exports:run", "imports:run", "notes:read", "notes:write"]
        let key = try await desk.client.post("/v1/api-keys", ["name": "Robot", "scopes": .array(scopes)])
            .expect(201)
        let robot = desk.server.client.with(token: try key.json.text("key"))
        let id = try await robot.post("/v1/exports", ["kind": "note", "format": "csv"]).expect(202).json.text(
            "id")
        try await robot.post("/v1/imports", ["kind": "note", "csv": "Title\nPoster\n", "target": [:]]).expect(
            201)
        let rows = try await desk.server.instance.database.query(
            """
            SELECT permissions_max FROM exports WHERE company_id = \(desk.company)
            UNION ALL SELECT permissions_max FROM imports WHERE company_id = \(desk.company)
            """, as: Tenant(company: desk.company, user: nil))
        for row in rows { #expect(try row.get(0, as: [String].self).map(JSON.string) == scopes) }
        #expect(rows.count == 2)
        _ = try await eventually {
            try await robot.get("/v1/exports/\(id)").expect(200).json["export"]?["state"] == "done"
                ? true : nil
        }
    }

    @Test func `an export is its maker's`() async throws {
        let desk = try await filled()
        let grace = try await desk.owner.colleague(.admin)
        let (detail, _) = try await made(desk, ["kind": "note", "format": "csv"])
        let id = try (detail["export"] ?? .null).text("id")
        #expect(try await grace.client.get("/v1/exports/\(id)").status == 404)
        #expect(try await desk.client.post("/v1/exports/\(id)/cancel").code == "export-not-running")
        let kinds = try await desk.client.get("/v1/export-kinds").json["kinds"]?.arrayValue ?? []
        #expect(kinds.first { $0["kind"] == "note" }?["columns"]?[0] == ["key": "title", "name": "Title"])
    }
}
