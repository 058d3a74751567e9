import App
import Core
import Postgres
import TestSupport
import Testing
import Wire

/// The project of the demo company, as somebody who starts the program for the first time finds it.
@Suite struct DemoProjectStory {
    @Test func `the demo project is half-way, and everything about it has something to show`() async throws {
        let server = try await TestServer.shared()
        let demo = try DemoCompany(of: server.instance, settings: server.instance.environment[Settings.self])
        let login = try await demo.make()
        let again = try await demo.make()
        #expect(again.email == login.email)
        let adam = try await Person(
            signingInOn: server, email: "adam@aurora.example", password: login.password)
        let client = adam.client
        let project = try #require(
            try await client.get("/v1/projects").expect(200).json["data"]?.arrayValue?.first)
        #expect(project["key"] == "SUMMER" && project["status"] == "active")
        let path = "/v1/projects/\(try project.text("id"))"
        let summary = try await client.get("\(path)/summary").expect(200).json
        #expect(summary["tasks"] == 33 && summary["active_sprint"] == "Sprint 3", "\(summary)")
        #expect(summary["completed"]?.intValue ?? 0 >= 16 && summary["cancelled"] == 1, "\(summary)")
        #expect(
            summary["budget_percent"]?.doubleValue ?? 0 > 50
                && summary["spent_minutes"]?.intValue ?? 0 > 3_000, "\(summary)")
        let budget = try await client.get("\(path)/budget").expect(200).json
        #expect(budget["percent"]?.doubleValue ?? 0 > 50 && budget["costs_minor"] == 107_800, "\(budget)")
        #expect(try await client.get("\(path)/milestones").texts("name").count == 4)
        #expect(try await client.get("\(path)/goals").texts("name").count == 2)
        let bySprint = try await client.get("/v1/time-entries/totals?group_by=sprint").expect(200).texts(
            "label")
        #expect(Set(bySprint) == ["Sprint 1", "Sprint 2", "Sprint 3"])
        #expect(try await client.get("/v1/timesheets?status=approved").texts("id").isEmpty == false)
        #expect(try await client.get("\(path)/activity?limit=50").texts("action").contains("task.state"))
        let velocity = try await client.get("\(path)/velocity").expect(200).json
        #expect(
            velocity["sprints"]?.arrayValue?.count == 2 && velocity["mean"]?.doubleValue ?? 0 > 0,
            "\(velocity)")
        for report in ["cumulative-flow", "cycle-time", "forecast", "workload", "time-spent"] {
            let picture = try await client.get("\(path)/\(report).svg").expect(200).text
            #expect(!picture.contains("Nothing to show") && !picture.contains("No task"), "\(report)")
        }
        let count = try server.database.psql(
            "SELECT count(*) FILTER (WHERE at > now()) || '|' || (count(*) > 80) FROM task_flow WHERE project_id = '\(try project.text("id"))'"
        )
        #expect(count.hasPrefix("0|true"), "\(count)")
    }
}
