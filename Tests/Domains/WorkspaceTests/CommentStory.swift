import TestSupport
import Testing
import Wire

@Suite struct CommentStory {
    private func say(
        _ text: String, on note: JSON, by person: Person, _ more: JSON = [:]
    ) async throws -> Answer {
        var body: JSON.Object = [
            "subject_kind": "note", "subject_id": note["id"] ?? .null, "body": .string(text),
        ]
        for (key, value) in more.objectValue?.members ?? [] { body[key] = value }
        return try await person.client.post("/v1/comments", .object(body))
    }

    private func comments(_ note: JSON, _ person: Person, _ more: String = "") async throws -> [JSON] {
        try await person.client.get("/v1/comments?subject_kind=note&subject_id=\(try note.text("id"))\(more)")
            .expect(200).data
    }

    @Test func `a mention is told to whoever may see the thing, and to nobody else`() async throws {
        let desk = try await Desk()
        let grace = try await desk.owner.colleague(.member, name: "Grace Hopper")
        let note = try await desk.note("Poster")
        let member = try await desk.member(grace)
        let said = try await say("Look, <@\(member)>: **new**", on: note, by: desk.owner).expect(201).json
        #expect(
            said["mentions"]?[0]?["name"] == "Grace Hopper"
                && said["author"]?["user_id"] == .string(desk.owner.userId))
        let news = try await grace.client.get("/v1/notifications").data
        #expect(news.count == 1 && news[0]["type"] == "comment.mentioned")
        #expect(
            news[0]["title"] == "Ada Lovelace mentioned you: Poster"
                && news[0]["body"] == "Look, @Grace Hopper: **new**")
        #expect(news[0]["link"] == .string("/notes/\(try note.text("id"))#comment-\(try said.text("id"))"))
        let secret = try await desk.note("Secret", ["is_secret": true])
        let refused = try await say("Psst <@\(member)>", on: secret, by: desk.owner).expect(422)
        #expect(refused.places == ["/body"])
        #expect(try await say("me too", on: secret, by: grace).status == 404)
        #expect(try await desk.events("comment.%") == ["comment.created"])
    }

    @Test func `replies go to the thread, its people and the watchers`() async throws {
        let desk = try await Desk()
        let (grace, linus) = (
            try await desk.owner.colleague(.member), try await desk.owner.colleague(.member, name: "Linus")
        )
        let note = try await desk.note("Poster")
        let root = try await say("What of the colour?", on: note, by: grace).expect(201).json
        let watching = try await grace.client.get("/v1/subscriptions").data
        #expect(watching.contains { $0["object_id"] == note["id"] })
        let reply = try await say("Blue.", on: note, by: linus, ["parent_id": root["id"] ?? .null]).expect(
            201
        ).json
        let deeper = try await say("Navy?", on: note, by: desk.owner, ["parent_id": reply["id"] ?? .null])
            .expect(201).json
        #expect(reply["parent_id"] == root["id"] && deeper["parent_id"] == root["id"])
        #expect(try await desk.news(of: grace) == ["comment.replied", "comment.replied"])
        #expect(try await desk.news(of: linus) == ["comment.replied"])
        _ = try await say("Another matter", on: note, by: desk.owner).expect(201)
        #expect(try await desk.news(of: linus) == ["comment.created", "comment.replied"])
        let roots = try await comments(note, linus, "&sort=created_at")
        #expect(roots.map { $0["reply_count"] } == [2, 0])
        #expect(
            try await comments(note, linus, "&parent_id=\(try root.text("id"))&sort=created_at").map {
                $0["body"]
            } == ["Blue.", "Navy?"])
        #expect(try await desk.client.get("/v1/jottings").data[0]["comment_count"] == 4)
    }

    @Test func `a client reads and hears what is meant for clients alone`() async throws {
        let desk = try await Desk()
        let client = try await desk.owner.colleague(.client, name: "Carla Client")
        let note = try await desk.note("Poster")
        let open = try await say("For you", on: note, by: desk.owner, ["is_internal": false]).expect(201).json
        #expect(try await say("Thank you", on: note, by: client).expect(201).json["is_internal"] == false)
        let inside = try await say("They will hate it", on: note, by: desk.owner).expect(201).json
        #expect(inside["is_internal"] == true)
        #expect(try await desk.news(of: client).isEmpty)
        _ = try await say(
            "Among us", on: note, by: desk.owner, ["parent_id": open["id"] ?? .null, "is_internal": true]
        ).expect(201)
        #expect(try await comments(note, client).count == 2)
        #expect(try await comments(note, desk.owner).count == 3)
        let seen = try await client.client.get("/v1/comments/\(try open.text("id"))").expect(200).json
        #expect(seen["reply_count"] == 0)
        #expect(try await client.client.get("/v1/comments/\(try inside.text("id"))").status == 404)
        #expect(try await say("x", on: note, by: client, ["is_internal": true]).status == 403)
        let member = try await desk.member(client)
        #expect(try await say("<@\(member)>", on: note, by: desk.owner).places == ["/body"])
        #expect(
            try await say("x", on: note, by: client, ["parent_id": inside["id"] ?? .null]).places == [
                "/parent_id"
            ])
        #expect(try await client.client.get("/v1/jottings").data[0]["comment_count"] == 2)
    }

    @Test func `a text changes with its history, and by its author alone`() async throws {
        let desk = try await Desk()
        let grace = try await desk.owner.colleague(.member)
        let note = try await desk.note("Poster")
        let said = try await say("Frist", on: note, by: grace).expect(201)
        let path = "/v1/comments/\(try said.json.text("id"))"
        #expect(try await desk.client.patch(path, ["body": "Mine"]).code == "not-your-comment")
        let owner = try await desk.member(desk.owner)
        let stale = grace.client.with(header: "If-Match", said.header("etag")!)
        let changed = try await stale.patch(path, ["body": .string("First, <@\(owner)>")]).expect(200)
        #expect(changed.json["edited_at"]?.isNull == false)
        #expect(try await stale.patch(path, ["body": "Again"]).status == 412)
        #expect(try await grace.client.get("\(path)/edits").data.map { $0["body"] } == ["Frist"])
        #expect(try await desk.news(of: desk.owner).first == "comment.mentioned")
        _ = try await grace.client.patch(path, ["body": .string("First! <@\(owner)>")]).expect(200)
        #expect(try await desk.news(of: desk.owner).filter { $0 == "comment.mentioned" }.count == 1)
    }

    @Test func `a deleted comment leaves an empty place for as long as it has replies`() async throws {
        let desk = try await Desk()
        let grace = try await desk.owner.colleague(.member)
        let note = try await desk.note("Poster", by: desk.owner)
        let root = try await say("Root", on: note, by: grace).expect(201).json
        let reply = try await say("Reply", on: note, by: desk.owner, ["parent_id": root["id"] ?? .null])
            .expect(201).json
        let stranger = try await desk.owner.colleague(.member)
        #expect(
            try await stranger.client.delete("/v1/comments/\(try root.text("id"))").code == "not-your-comment"
        )
        #expect(try await desk.client.delete("/v1/comments/\(try root.text("id"))").status == 204)
        let place = try await comments(note, grace)
        #expect(
            place.count == 1 && place[0]["is_deleted"] == true && place[0]["body"]?.isNull == true
                && place[0]["author"]?.isNull == true)
        #expect(
            try await say("x", on: note, by: grace, ["parent_id": root["id"] ?? .null]).code
                == "comment-deleted")
        #expect(try await desk.client.delete("/v1/comments/\(try reply.text("id"))").status == 204)
        #expect(try await comments(note, grace).isEmpty)
        #expect(try await grace.client.get("/v1/comments/\(try root.text("id"))").status == 404)
    }

    @Test func `threads are settled and opened again; reactions count each once`() async throws {
        let desk = try await Desk()
        let grace = try await desk.owner.colleague(.member)
        let note = try await desk.note("Poster")
        let root = try await say("Root", on: note, by: grace).expect(201).json
        let reply = try await say("Reply", on: note, by: grace, ["parent_id": root["id"] ?? .null]).expect(
            201
        ).json
        let path = "/v1/comments/\(try root.text("id"))"
        #expect(
            try await desk.client.post("\(path)/resolve").json["resolved_by"] == .string(desk.owner.userId))
        #expect(try await comments(note, grace, "&is_resolved=false").isEmpty)
        #expect(try await desk.client.post("\(path)/reopen").json["resolved_at"]?.isNull == true)
        #expect(
            try await desk.client.post("/v1/comments/\(try reply.text("id"))/resolve").code == "not-a-thread")
        _ = try await grace.client.put("\(path)/reactions/heart", [:]).expect(200)
        let hearts = try await desk.client.put("\(path)/reactions/heart", [:]).expect(200).json["reactions"]
        #expect(hearts == [["code": "heart", "count": 2, "is_mine": true]])
        #expect(
            try await desk.client.put("\(path)/reactions/heart", [:]).json["reactions"]?[0]?["count"] == 2)
        #expect(try await desk.client.delete("\(path)/reactions/heart").status == 204)
        #expect(try await desk.client.delete("\(path)/reactions/heart").status == 404)
        #expect(try await desk.client.put("\(path)/reactions/No%20code", [:]).status == 400)
        #expect(try await desk.events("comment.re%") == ["comment.resolved", "comment.reopened"])
    }
}
