import Core
import Postgres
import TestSupport
import Testing
import Wire

@testable import CRM

/// Calls, meetings and notes, as those live with them who sell.
@Suite struct ActivityStory {
    @Test func `what is planned is changed, done, taken up again and put into the trash`() async throws {
        let world = try await World("Call Works")
        let records = try CRMRecords(world)
        let anna = try await records.contact("Anna Berg")
        let me = world.owner.client
        let made = try await me.post(
            "/v1/activities",
            [
                "kind": "call", "title": "First call", "due_at": "2031-05-05T09:00:00Z",
                "contact_ids": [.string(anna)],
            ]
        ).expect(201)
        let path = "/v1/activities/\(try made.json.text("id"))"
        #expect(made.json["completed_at"] == .null)
        #expect(made.json["records"]?[0]?["name"] == "Anna Berg")
        let moved = try await me.with(header: "if-match", "\"1\"").patch(
            path, ["due_at": "2031-05-06T09:00:00Z"]
        ).expect(200)
        #expect(moved.json["at"] == moved.json["due_at"])
        _ = try await me.with(header: "if-match", "\"1\"").patch(path, ["title": "Late"]).expect(412)
        let done = try await me.post(
            "\(path)/complete", ["at": "2026-11-20T10:00:00Z", "outcome": "reached"]
        ).expect(200)
        #expect(done.json["outcome"] == "reached")
        let again = try await me.post("\(path)/complete").expect(200)
        #expect(again.json["version"] == done.json["version"])
        _ = try await me.post("\(path)/snooze", ["until": "2031-05-06T09:00:00Z"]).expect(409)
        let open = try await me.post("\(path)/reopen").expect(200)
        #expect(open.json["at"] == "2031-05-06T09:00:00.000000Z")
        _ = try await me.post("\(path)/snooze", ["until": "2031-05-06T08:00:00Z"]).expect(200)
        let calendar = try await me.get("/v1/calendar?from=2031-05-01T00:00:00Z&to=2031-05-30T00:00:00Z")
            .expect(200)
        #expect(calendar.json.description.contains("First call"))
        let listed = try await me.get("/v1/activities?contact_id=\(anna)&state=open&owner=me&q=first").expect(
            200)
        #expect(listed.json["data"]?.arrayValue?.count == 1)
        _ = try await me.delete(path).expect(204)
        _ = try await me.get(path).expect(404)
        _ = try await me.post("\(path)/restore").expect(200)
        _ = try await me.get(path).expect(200)
        _ = try await me.post(
            "/v1/activities/bulk",
            [
                "activity_ids": [.string(try made.json.text("id"))], "action": "complete",
            ]
        ).expect(200)
    }

    @Test func `an e-mail logged twice is one, and its addresses are for those who may see them`()
        async throws
    {
        let world = try await World("Letter Works")
        let records = try CRMRecords(world)
        let anna = try await records.contact("Anna Berg")
        let letter: JSON = [
            "kind": "email", "direction": "in", "title": "Your offer", "from_address": "anna@letter.example",
            "contact_ids": [.string(anna)], "source": "imap", "external_id": "<7@letter.example>",
        ]
        let first = try await world.owner.client.post("/v1/activities", letter).expect(201)
        let second = try await world.owner.client.post("/v1/activities", letter).expect(201)
        #expect(first.json["id"] == second.json["id"])
        let role = try await world.owner.makeRole("Caller", [.crmRead, .crmReadAll, .crmWrite])
        let caller = try await world.owner.colleague(roleIds: [role])
        let seen = try await caller.client.get("/v1/activities/\(try first.json.text("id"))").expect(200)
        #expect(seen.json["from_address"] == .null)
        _ = try await caller.client.post("/v1/activities", letter).expect(403)
    }

    @Test func `an activity is seen by those who see one of its records, and by its owner`() async throws {
        let world = try await World("Quiet Works")
        let records = try CRMRecords(world)
        let ownOnly = try await world.owner.makeRole("Own", [.crmRead, .crmWrite])
        let mine = try await world.owner.colleague(roleIds: [ownOnly])
        let memberId = try await records.member(mine)
        let theirs = try await records.contact("Anna Berg")
        let his = try await records.contact("Bert Wolf", owner: memberId)
        func log(_ title: JSON, _ contact: String, owner: JSON = nil) async throws -> String {
            try await world.owner.client.post(
                "/v1/activities",
                [
                    "kind": "meeting", "title": title, "contact_ids": [.string(contact)], "owner_id": owner,
                ]
            ).expect(201).json.text("id")
        }
        let hidden = try await log("Hidden", theirs)
        let shown = try await log("Shown", his)
        let assigned = try await log("Assigned", theirs, owner: .string(memberId))
        _ = try await mine.client.get("/v1/activities/\(hidden)").expect(404)
        _ = try await mine.client.get("/v1/activities/\(shown)").expect(200)
        let own = try await mine.client.get("/v1/activities/\(assigned)").expect(200)
        #expect(own.json["records"] == [])
        let all = try await mine.client.get("/v1/activities").expect(200)
        #expect(all.json["data"]?.arrayValue?.count == 2)
        _ = try await mine.client.get("/v1/contacts/\(theirs)/timeline").expect(404)
        _ = try await mine.client.post("/v1/notes", ["body": "Hm", "contact_ids": [.string(theirs)]]).expect(
            422)
    }

    @Test func `a note is pinned, keeps what it said, and tells whom it mentions`() async throws {
        let world = try await World("Note Works")
        let records = try CRMRecords(world)
        let anna = try await records.contact("Anna Berg")
        let grace = try await world.owner.colleague(.member)
        let member = try await records.member(grace)
        let me = world.owner.client
        let note = try await me.post(
            "/v1/notes",
            [
                "body": .string("Prefers mornings\n<@\(member)> please call"), "contact_ids": [.string(anna)],
            ]
        ).expect(201)
        #expect(note.json["title"] == "Prefers mornings")
        let path = "/v1/notes/\(try note.json.text("id"))"
        _ = try await me.with(header: "if-match", "\"1\"").patch(path, ["body": "Prefers evenings"]).expect(
            200)
        let edits = try await me.get("\(path)/edits").expect(200)
        #expect(edits.json["data"]?.arrayValue?.count == 1)
        _ = try await me.put("\(path)/pin", [:]).expect(200)
        let pinned = try await me.get("/v1/notes?is_pinned=true&contact_id=\(anna)").expect(200)
        #expect(pinned.json["data"]?.arrayValue?.count == 1)
        _ = try await me.delete("\(path)/pin").expect(204)
        let told = try await grace.client.get("/v1/notifications").expect(200)
        #expect(told.json["data"]?.arrayValue?.contains { $0["type"] == "note.mentioned" } == true)
        _ = try await me.delete(path).expect(204)
        _ = try await me.get(path).expect(404)
    }

    @Test func `the timeline of a client holds what happened with its people, deals and tasks`() async throws
    {
        let world = try await World("Time Works")
        let records = try CRMRecords(world)
        let me = world.owner.client
        let anna = try await records.contact("Anna Berg")
        let client = try await records.client("Berg & Co", with: anna)
        let deal = try await records.deal("Relaunch", of: client)
        let lead = try await records.lead("Wants a site", of: anna)
        for (kind, title, key, id) in [
            ("call", "Called", "contact_ids", anna), ("meeting", "Met", "deal_ids", deal),
        ] {
            var body: JSON.Object = [
                "kind": .string(kind), "title": .string(title), "at": "2026-11-20T10:00:00Z",
            ]
            body[key] = [.string(id)]
            _ = try await me.post("/v1/activities", .object(body)).expect(201)
        }
        let project = try await me.post("/v1/projects", ["name": "Relaunch", "key": "REL"]).expect(201)
        let task = try await me.post(
            "/v1/tasks", ["project_id": .string(try project.json.text("id")), "title": "Draft the offer"]
        ).expect(201).json.text("id")
        for _ in 0..<2 { _ = try await me.put("/v1/deals/\(deal)/tasks/\(task)", [:]).expect(204) }
        func kinds(_ path: String) async throws -> [String] {
            let answer = try await me.get(path).expect(200)
            return (answer.json["data"]?.arrayValue ?? []).compactMap { $0["kind"]?.stringValue }.sorted()
        }
        #expect(try await kinds("/v1/clients/\(client)/timeline") == ["call", "meeting", "stage", "task"])
        #expect(try await kinds("/v1/contacts/\(anna)/timeline") == ["call", "lead"])
        #expect(try await kinds("/v1/leads/\(lead)/timeline") == ["lead"])
        #expect(try await kinds("/v1/deals/\(deal)/timeline?kind=stage,task") == ["stage", "task"])
        let first = try await me.get("/v1/clients/\(client)/timeline?limit=3").expect(200)
        let cursor = try #require(first.json["page"]?["next_cursor"]?.stringValue)
        let rest = try await me.get("/v1/clients/\(client)/timeline?limit=3&cursor=\(cursor)").expect(200)
        #expect(rest.json["data"]?.arrayValue?.count == 1)
        _ = try await me.delete("/v1/deals/\(deal)/tasks/\(task)").expect(204)
        #expect(try await kinds("/v1/clients/\(client)/timeline?kind=task") == [])
    }

    @Test func `a reminder is told once, and what is overdue once more`() async throws {
        let world = try await World("Remind Works")
        let records = try CRMRecords(world)
        let anna = try await records.contact("Anna Berg")
        let past = Timestamp.now + .seconds(-60)
        _ = try await world.owner.client.post(
            "/v1/activities",
            [
                "kind": "call", "title": "Call Anna", "due_at": .string(past.description),
                "remind_at": .string(past.description),
                "contact_ids": [.string(anna)],
            ]
        ).expect(201)
        for _ in 0..<2 { try await ActivityUpkeep.run(records.company, world.server.instance.database) }
        let told = try await world.owner.client.get("/v1/notifications").expect(200)
        let types = (told.json["data"]?.arrayValue ?? []).compactMap { $0["type"]?.stringValue }.filter {
            $0.hasPrefix("activity.")
        }
        #expect(types.sorted() == ["activity.due", "activity.overdue"])
    }
}
