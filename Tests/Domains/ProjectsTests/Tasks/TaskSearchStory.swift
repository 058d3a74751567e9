import Core
import Postgres
import TestSupport
import Testing
import Wire

@testable import Projects

@Suite struct TaskSearchStory {
    @Test func `a task is found by what it says now, wherever it is`() async throws {
        let shop = try await Workshop()
        let client = shop.owner.client
        func found(_ q: String) async throws -> [String] {
            try await client.get("/v1/tasks?q=\(q)").expect(200).json.all("id")
        }
        let task = try await shop.task("Lighthouse brochure", ["description": "For the harbour"])
        #expect(try await found("lighthose") == [task.id])
        #expect(try await found("harb%20light") == [task.id])
        #expect(
            try await client.get("/v1/projects/\(shop.project)/board?q=brochure").json["columns"]?.arrayValue?
                .compactMap { $0["count"]?.intValue }.reduce(0, +) == 1)
        let version = try await client.get("/v1/tasks/\(task.id)").json["version"]?.intValue ?? 0
        _ = try await client.with(header: "If-Match", "\"\(version)\"").patch(
            "/v1/tasks/\(task.id)", ["title": "Ferry timetable"]
        ).expect(200)
        #expect(try await found("lighthouse") == [])
        #expect(try await found("ferry%20harbour") == [task.id])
        try await client.delete("/v1/tasks/\(task.id)").expect(204)
        let words: SQL = "SELECT 1 FROM search_uses WHERE kind = 'task' AND subject_id = \(UUID(task.id))"
        #expect(try await shop.sql(words).isEmpty)
        try await client.post("/v1/tasks/\(task.id)/restore").expect(200)
        #expect(try await found("timetable") == [task.id])
    }

    @Test func `tasks that were there before the index are put into it, piece by piece`() async throws {
        let shop = try await Workshop()
        let task = try await shop.task("Cartography")
        let database = shop.server.instance.database
        _ = try await shop.sql("DELETE FROM search_uses WHERE kind = 'task'")
        _ = try await shop.sql("INSERT INTO search_fills (company_id, kind) VALUES (\(shop.company), 'task')")
        while try await TaskSearch.fillSome(database) {}
        #expect(try await shop.owner.client.get("/v1/tasks?q=cartography").json.all("id") == [task.id])
        #expect(try await shop.sql("SELECT 1 FROM search_fills WHERE company_id = \(shop.company)").isEmpty)
    }
}
