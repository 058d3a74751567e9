import API
import Core
import Postgres
import TestSupport
import Testing
import Wire

@testable import Projects

@Suite struct TaskUpkeepStory {
    @Test func `people are told once that a task is due soon, and once that it is overdue`() async throws {
        let shop = try await Workshop()
        let member = try await shop.owner.colleague(.member)
        let id = try await shop.member(of: member)
        let soon = try await shop.task("Soon", ["assignee_ids": [.string(id)], "due_on": "2030-01-01"])
        let late = try await shop.task("Late", ["assignee_ids": [.string(id)], "due_on": "2030-01-01"])
        let done = try await shop.task(
            "Done", ["assignee_ids": [.string(id)], "due_on": "2030-01-01", "state_id": shop.state("Done")])
        _ = try await shop.sql(
            "UPDATE tasks SET due_at = now() + interval '3 hours' WHERE company_id = \(shop.company) AND id = \(UUID(soon.id))"
        )
        _ = try await shop.sql(
            "UPDATE tasks SET due_at = now() - interval '3 hours' WHERE company_id = \(shop.company) AND id = ANY(\([UUID(late.id)!, UUID(done.id)!]))"
        )
        for _ in 0..<2 { try await TaskReminders.run(shop.company, shop.server.instance.database) }
        let titles = try await member.client.get("/v1/notifications?limit=50").expect(200).json.all("title")
        #expect(titles.filter { $0.contains("due") }.sorted() == ["WEB-1 is due soon", "WEB-2 is overdue"])
    }

    @Test func `the trash is emptied of what has lain there for its time`() async throws {
        let shop = try await Workshop()
        let client = shop.owner.client
        let task = try await shop.task("Parent")
        let child = try await shop.task("Child", ["parent_id": .string(task.id)])
        let young = try await shop.task("Young")
        for id in [child.id, task.id, young.id] { try await client.delete("/v1/tasks/\(id)").expect(204) }
        _ = try await shop.sql(
            "UPDATE tasks SET deleted_at = now() - interval '31 days' WHERE company_id = \(shop.company) AND id <> \(UUID(young.id))"
        )
        try await TaskPurge.sweep(
            shop.company, shop.server.instance.application.environment.find(FileKeeping.self),
            shop.server.instance.database)
        #expect(try await client.get("/v1/tasks/trash").json.all("id") == [young.id])
        #expect(try await shop.sql("SELECT 1 FROM tasks WHERE company_id = \(shop.company)").count == 1)
        #expect(try await client.post("/v1/tasks/\(task.id)/restore").status == 404)
    }

    @Test func `the open tasks of somebody who goes are given to another`() async throws {
        let shop = try await Workshop()
        let (leaver, heir) = (
            try await shop.owner.colleague(.member), try await shop.owner.colleague(.member)
        )
        let id = try await shop.member(of: leaver)
        let open = try await shop.task("Open", ["assignee_ids": [.string(id)]])
        let done = try await shop.task(
            "Done", ["assignee_ids": [.string(id)], "state_id": shop.state("Done")])
        let from = HandoverPart.Holder(company: shop.company, member: UUID(id)!, user: UUID(leaver.userId)!)
        let to = HandoverPart.Holder(
            company: shop.company, member: UUID(try await shop.member(of: heir))!, user: UUID(heir.userId)!)
        let part = try #require(ProjectsDomain.tasksHandovers.first)
        #expect(try await shop.sql(part.count(from))[0].get("count", as: Int.self) == 1)
        _ = try await shop.server.instance.database.batch(
            part.move?(from, to) ?? [], as: Tenant(company: shop.company))
        #expect(try await heir.client.get("/v1/tasks?assignee=me").json.all("id") == [open.id])
        #expect(try await leaver.client.get("/v1/tasks?assignee=me").json.all("id") == [done.id])
    }
}
