import API
import TestSupport
import Testing
import Wire

/// What becomes of a project: its steps, its people, its end.
@Suite struct ProjectLifeStory {
    @Test func `a project goes only the legal steps, and comes out of the archive as it went in`()
        async throws
    {
        let world = try await World()
        let client = world.owner.client
        let path =
            "/v1/projects/\(try await client.post("/v1/projects", ["name": "Launch"]).expect(201).json.text("id"))"
        #expect(try await client.post("\(path)/hold").code == "project-step-refused")
        #expect(try await client.post("\(path)/activate").expect(200).json["status"] == "active")
        let refused = try await client.post("\(path)/archive").expect(409)
        #expect(refused.json["allowed"] == ["draft", "on_hold", "completed"])
        #expect(try await client.post("\(path)/hold").expect(200).json["status"] == "on_hold")
        let completed = try await client.post("\(path)/complete").expect(200)
        #expect(completed.json["completed_at"] != .null)
        let archived = try await client.post("\(path)/archive").expect(200)
        #expect(archived.json["archived_at"] != .null)
        #expect(try await client.patch(path, ["name": "Later"]).code == "project-archived")
        #expect(
            try await client.post("\(path)/states", ["name": "New", "category": "started"]).code
                == "project-archived")
        #expect(try await client.get("/v1/projects").texts("name") == [])
        #expect(try await client.get("/v1/projects?is_archived=true").texts("name") == ["Launch"])
        let restored = try await client.post("\(path)/restore").expect(200)
        #expect(restored.json["status"] == "completed" && restored.json["completed_at"] != .null)
        #expect(try await client.post("\(path)/activate").expect(200).json["completed_at"] == .null)
        let acts = try await client.get("\(path)/activity").expect(200).texts("action")
        #expect(
            acts == [
                "project.activated", "project.restored", "project.archived", "project.completed",
                "project.held",
                "project.activated", "project.created",
            ])
    }

    @Test func `a role in the project goes before the role in the company, up and down`() async throws {
        let world = try await World()
        let owner = world.owner.client
        let (viewer, member) = (
            try await world.owner.colleague(.viewer), try await world.owner.colleague(.member)
        )
        let path = "/v1/projects/\(try await world.project())"
        let (viewerId, memberId) = (try await viewer.member(), try await member.member())
        #expect(try await viewer.client.patch(path, ["name": "Mine"]).status == 403)
        try await owner.post("\(path)/members", ["member_id": .string(viewerId), "role": "manager"]).expect(
            201)
        #expect(try await viewer.client.patch(path, ["name": "Ours"]).expect(200).json["right"] == "manage")
        try await owner.post("\(path)/members", ["member_id": .string(memberId), "role": "viewer"]).expect(
            201)
        #expect(try await member.client.get(path).json["right"] == "see")
        try await owner.patch("\(path)/members/\(memberId)", ["role": "commenter"]).expect(200)
        #expect(try await member.client.get(path).json["right"] == "comment")
        let told = try await eventually {
            let news = try await member.client.get("/v1/notifications").expect(200)
            return news.texts("type").contains("project.member_added") ? news : nil
        }
        #expect(told.texts("title").contains("You are in the project Ours"))
        try await member.client.delete("\(path)/members/\(memberId)").expect(204)
        #expect(try await member.client.get(path).json["right"] == "contribute")
    }

    @Test func `the lead manages, also a private project, and cannot be made less`() async throws {
        let world = try await World()
        let member = try await world.owner.colleague(.member)
        let id = try await member.member()
        let path =
            "/v1/projects/\(try await world.project("Secret", ["visibility": "private", "lead_id": .string(id)]))"
        #expect(try await member.client.get(path).expect(200).json["right"] == "manage")
        #expect(
            try await world.owner.client.patch("\(path)/members/\(id)", ["role": "viewer"]).code
                == "lead-manages")
        #expect(try await world.owner.client.delete("\(path)/members/\(id)").code == "lead-manages")
        let stranger = try await world.owner.client.patch(path, ["lead_id": .string(UUID.v7().description)])
        #expect(stranger.status == 422 && stranger.text.contains("/lead_id"), "\(stranger)")
    }

    @Test func `favourites are one's own`() async throws {
        let world = try await World()
        let member = try await world.owner.colleague(.member)
        let project = try await world.project("Dear")
        _ = try await world.project("Other")
        try await member.client.send("PUT", "/v1/projects/\(project)/favourite", nil).expect(204)
        #expect(try await member.client.get("/v1/projects?is_favourite=true").texts("name") == ["Dear"])
        #expect(try await world.owner.client.get("/v1/projects?is_favourite=true").texts("name") == [])
        try await member.client.delete("/v1/projects/\(project)/favourite").expect(204)
        #expect(try await member.client.get("/v1/projects?is_favourite=true").texts("name") == [])
    }

    @Test func `a deleted project waits in the trash, comes back, or goes for good and keeps its key`()
        async throws
    {
        let world = try await World()
        let client = world.owner.client
        let id = try await world.project("Gone", ["key": "GONE"])
        try await client.delete("/v1/projects/\(id)").expect(204)
        #expect(try await client.get("/v1/projects/\(id)").status == 404)
        #expect(try await client.get("/v1/project-trash").texts("key") == ["GONE"])
        #expect(
            try await client.post("/v1/projects", ["name": "New", "key": "GONE"]).code == "project-key-taken")
        try await client.post("/v1/project-trash/\(id)/restore").expect(200)
        #expect(try await client.get("/v1/projects/\(id)").status == 200)
        #expect(try await client.delete("/v1/project-trash/\(id)").status == 404)
        try await client.post("/v1/tasks", ["project_id": .string(id), "title": "Goes with it"]).expect(201)
        try await client.delete("/v1/projects/\(id)").expect(204)
        let colleague = try await world.owner.colleague(.member)
        #expect(try await colleague.client.get("/v1/project-trash").texts("key") == [])
        #expect(try await colleague.client.post("/v1/project-trash/\(id)/restore").status == 404)
        try await client.delete("/v1/project-trash/\(id)").expect(204)
        #expect(try await client.get("/v1/project-trash").texts("key") == [])
        #expect(
            try await client.post("/v1/projects", ["name": "New", "key": "GONE"]).code == "project-key-taken")
    }

    @Test func `many are archived at once, and each refusal says why`() async throws {
        let world = try await World()
        let client = world.owner.client
        let draft = try await client.post("/v1/projects", ["name": "Draft"]).expect(201).json.text("id")
        let active = try await world.project("Active")
        let unknown = UUID.v7().description
        let answer = try await client.post(
            "/v1/projects/bulk",
            ["action": "archive", "ids": .array([draft, active, unknown].map(JSON.string))]
        ).expect(200)
        #expect(answer.json["done"] == 1 && answer.json["refused"] == 2)
        let codes = (answer.json["results"]?.arrayValue ?? []).reduce(into: [String: JSON]()) {
            codes, result in
            codes[result["id"]?.stringValue ?? ""] = result["code"]
        }
        #expect(
            codes[draft] == JSON.null && codes[active] == "project-step-refused"
                && codes[unknown] == "not-found")
    }

    @Test func `a duplicate has the states and members of the first, and tasks of neither`() async throws {
        let world = try await World()
        let owner = world.owner.client
        let member = try await world.owner.colleague(.member)
        let id = try await world.project()
        try await owner.post(
            "/v1/projects/\(id)/members",
            ["member_id": .string(try await member.member()), "role": "commenter"]
        ).expect(201)
        try await owner.post(
            "/v1/projects/\(id)/states", ["name": "Waiting", "category": "started", "wip_limit": 3]
        )
        .expect(201)
        let copy = try await owner.post(
            "/v1/projects/\(id)/duplicate", ["name": "Second", "with_members": true]
        ).expect(201)
        let path = "/v1/projects/\(try copy.json.text("id"))"
        #expect(copy.header("location") == path)
        #expect(try await owner.get("\(path)/states").texts("name").last == "Waiting")
        #expect(
            try await owner.get("\(path)/members?sort=name").texts("role").sorted() == [
                "commenter", "manager",
            ])
        #expect(try await owner.get("\(path)/summary").expect(200).json["tasks"] == 0)
    }

    @Test func `a picture becomes the cover and cannot be deleted meanwhile`() async throws {
        let world = try await World()
        let client = world.owner.client
        let path = "/v1/projects/\(try await world.project())"
        #expect(try await client.get("\(path)/cover").status == 404)
        let gif: [UInt8] =
            Array("GIF89a".utf8) + [
                1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 255, 255, 255, 0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44,
                1, 0, 0x3B,
            ]
        let file = try await world.owner.upload(gif, name: "cover.gif", type: "image/gif").expect(201).json
            .text("id")
        _ = try await eventually {
            try await client.get("/v1/files/\(file)").json["state"] == "ready" ? true : nil
        }
        let shown = try await client.put("\(path)/cover", ["file_id": .string(file)]).expect(200)
        #expect(shown.json["cover_file_id"]?.stringValue == file)
        #expect(try await client.get("\(path)/cover").expect(200).json["url"]?.stringValue?.isEmpty == false)
        #expect(try await client.delete("/v1/files/\(file)").code == "file-in-use")
        try await client.delete("\(path)/cover").expect(204)
        try await client.delete("/v1/files/\(file)").expect(204)
    }

    @Test func `the projects of somebody who leaves get another lead, who manages them`() async throws {
        let world = try await World()
        let (old, new) = (try await world.owner.colleague(.member), try await world.owner.colleague(.member))
        let (oldId, newId) = (try await old.member(), try await new.member())
        let path =
            "/v1/projects/\(try await world.project("Theirs", ["visibility": "private", "lead_id": .string(oldId)]))"
        #expect(try await new.client.get(path).status == 404)
        try await world.owner.client.post("/v1/members/\(oldId)/handover", ["to_member_id": .string(newId)])
            .expect(200)
        let found = try await new.client.get(path).expect(200).json
        #expect(found["lead_id"]?.stringValue == newId && found["right"] == "manage")
        #expect(try await new.client.get("\(path)/members").texts("member_id").contains(newId))
    }

    @Test func `a key does no more in a project than its scopes say`() async throws {
        let world = try await World()
        let project = try await world.project()
        func key(_ scopes: [String]) async throws -> Client {
            let made = try await world.owner.client.post(
                "/v1/api-keys", ["name": "Robot", "scopes": .array(scopes.map(JSON.string))]
            ).expect(201)
            return world.server.client.with(token: try made.json.text("key"))
        }
        let reader = try await key(["projects:read"])
        #expect(try await reader.get("/v1/projects/\(project)").expect(200).json["right"] == "see")
        #expect(try await reader.patch("/v1/projects/\(project)", ["name": "Mine"]).status == 403)
        let writer = try await key(["projects:read", "projects:write"])
        #expect(
            try await writer.patch("/v1/projects/\(project)", ["name": "Ours"]).expect(200).json["name"]
                == "Ours")
    }
}
