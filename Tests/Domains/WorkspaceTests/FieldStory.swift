import TestSupport
import Testing
import Wire

@Suite struct FieldStory {
    private func field(_ desk: Desk, _ body: JSON) async throws -> JSON {
        var all = body.objectValue ?? JSON.Object()
        all["kind"] = "note"
        return try await desk.client.post("/v1/custom-fields", .object(all)).expect(201).json
    }

    private let channel: JSON = [
        "name": "Channel", "type": "select", "default_value": "social",
        "options": [["name": "Print"], ["name": "Social", "color": "#00ff00"]],
    ]

    @Test func `every fault of the values is told at its place`() async throws {
        let desk = try await Desk()
        _ = try await field(
            desk, ["name": "Launch budget", "type": "money", "currency": "EUR", "is_required": true])
        _ = try await field(desk, channel)
        _ = try await field(desk, ["name": "Day", "type": "date"])
        _ = try await field(desk, ["name": "Reviewer", "type": "member"])
        let sent: JSON = [
            "channel": "radio", "day": "someday", "reviewer": .string(UUID.v7().description),
            "launch_budgt": 5,
        ]
        let refused = try await desk.client.post("/v1/jottings", ["title": "Poster", "custom": sent]).expect(
            422)
        #expect(
            Set(refused.places)
                == [
                    "/custom/channel", "/custom/day", "/custom/reviewer", "/custom/launch_budgt",
                    "/custom/launch_budget",
                ])
        let member = try await desk.member(desk.owner)
        let note = try await desk.note(
            "Poster",
            ["custom": ["launch_budget": 125_000, "day": "2026-12-01", "reviewer": .string(member)]])
        let kept: JSON = [
            "launch_budget": 125_000, "day": "2026-12-01", "reviewer": .string(member), "channel": "social",
        ]
        #expect(note["custom"] == kept)
        let path = "/v1/jottings/\(try note.text("id"))"
        #expect(try await desk.client.patch(path, ["custom": ["day": nil]]).json["custom"]?["day"] == nil)
        #expect(
            try await desk.client.patch(path, ["custom": ["launch_budget": nil]]).places == [
                "/custom/launch_budget"
            ])
    }

    @Test func `lists are filtered by fields`() async throws {
        let desk = try await Desk()
        _ = try await field(desk, channel)
        _ = try await field(desk, ["name": "Price", "type": "number"])
        _ = try await field(
            desk,
            [
                "name": "Places", "type": "multi_select",
                "options": [["name": "Bonn"], ["key": "koeln", "name": "Köln"]],
            ])
        _ = try await desk.note(
            "A", ["custom": ["price": 10, "channel": "print", "places": ["koeln", "bonn"]]])
        _ = try await desk.note("B", ["custom": ["price": 9.5]])
        _ = try await desk.note("C")
        func titles(_ query: String) async throws -> String {
            try await desk.client.get("/v1/jottings?\(query)").expect(200).data.compactMap {
                $0["title"]?.stringValue
            }.joined()
        }
        #expect(try await titles("custom[channel]=print") == "A")
        #expect(try await titles("custom[channel]=print,social") == "ABC")
        #expect(try await titles("custom[price][gte]=9.5&custom[price][lt]=10") == "B")
        #expect(try await titles("custom[places]=bonn") == "A")
        let wrong = try await desk.client.get(
            "/v1/jottings?custom[chanel]=print&custom[price]=much&custom[channel][gte]=x")
        #expect(
            wrong.status == 422
                && wrong.places == ["custom[chanel]", "custom[channel][gte]", "custom[price]"])
    }

    @Test func `a field of a shelf is that shelf's alone`() async throws {
        let desk = try await Desk()
        let shelf = UUID.v7().description
        let inside = try await desk.note("Inside", ["shelf_id": .string(shelf)])
        let made = try await field(desk, ["name": "Height", "type": "number", "scope_id": .string(shelf)])
        #expect(made["scope_id"] == .string(shelf))
        let path = "/v1/jottings/\(try inside.text("id"))"
        #expect(try await desk.client.patch(path, ["custom": ["height": 3]]).json["custom"] == ["height": 3])
        #expect(
            try await desk.client.post("/v1/jottings", ["title": "X", "custom": ["height": 3]]).places == [
                "/custom/height"
            ])
        #expect(try await desk.client.get("/v1/custom-fields").data.isEmpty)
        #expect(try await desk.client.get("/v1/custom-fields?scope_id=\(shelf)").data.count == 1)
        let clash: JSON = ["kind": "note", "name": "Height", "type": "text"]
        #expect(try await desk.client.post("/v1/custom-fields", clash).code == "custom-field-key-taken")
        let stranger: JSON = [
            "kind": "note", "name": "X", "type": "text", "scope_id": .string(UUID.v7().description),
        ]
        #expect(try await desk.client.post("/v1/custom-fields", stranger).status == 404)
    }

    @Test func `an option in use is archived and not dropped; an archived field takes no values`()
        async throws
    {
        let desk = try await Desk()
        let made = try await field(desk, channel)
        let path = "/v1/custom-fields/\(try made.text("id"))"
        _ = try await desk.note("A", ["custom": ["channel": "print"]])
        let without: JSON = ["options": [["key": "social", "name": "Social"]]]
        #expect(try await desk.client.patch(path, without).expect(409).code == "custom-field-option-in-use")
        let archived: JSON = [
            "options": [
                ["key": "social", "name": "Social media"],
                ["key": "print", "name": "Print", "is_archived": true],
            ]
        ]
        #expect(try await desk.client.patch(path, archived).json["options"]?[1]?["is_archived"] == true)
        #expect(try await desk.client.patch(path, ["is_archived": true]).json["is_archived"] == true)
        #expect(
            try await desk.client.post("/v1/jottings", ["title": "B", "custom": ["channel": "social"]]).status
                == 422)
        #expect(try await desk.note("C")["custom"] == [:])
    }

    @Test func `a deleted field takes its values along and frees its key`() async throws {
        let desk = try await Desk()
        let made = try await field(desk, channel)
        let note = try await desk.note("A", ["custom": ["channel": "print"]])
        #expect(try await desk.client.delete("/v1/custom-fields/\(try made.text("id"))").status == 204)
        #expect(try await desk.client.get("/v1/custom-fields").data.isEmpty)
        let cleaned = try await eventually {
            let found = try await desk.client.get("/v1/jottings").data[0]
            return found["custom"] == [:] ? .some(found) : .none
        }
        #expect(cleaned["version"]?.intValue == (note["version"]?.intValue ?? 0) + 1)
        let again = try await eventually {
            let answer = try await desk.client.post(
                "/v1/custom-fields", ["kind": "note", "name": "Channel", "type": "text"])
            return answer.status == 201 ? .some(answer) : .none
        }
        #expect(again.json["type"] == "text")
        #expect(
            try await desk.events("custom_field.%").suffix(2) == [
                "custom_field.deleted", "custom_field.created",
            ])
    }

    @Test func `fields stand in the order they are put in`() async throws {
        let desk = try await Desk()
        var ids: [JSON] = []
        for name in ["One", "Two", "Three"] {
            ids.append(.string(try await field(desk, ["name": .string(name), "type": "text"]).text("id")))
        }
        let body: JSON = ["kind": "note", "scope_id": nil, "ids": [ids[2], ids[0]]]
        let ordered = try await desk.client.put("/v1/custom-fields/order", body).expect(200).data
        #expect(ordered.compactMap { $0["name"] } == ["Three", "One", "Two"])
        #expect(
            try await desk.client.get("/v1/custom-fields").data.compactMap { $0["name"] } == [
                "Three", "One", "Two",
            ])
        let member = try await desk.owner.colleague(.member)
        #expect(try await member.client.put("/v1/custom-fields/order", body).status == 403)
    }

    @Test func `two at once make one field of a key`() async throws {
        let desk = try await Desk()
        let client = desk.client
        let codes = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<6 {
                group.addTask {
                    try await client.post(
                        "/v1/custom-fields", ["kind": "note", "name": "Size", "type": "text"]
                    ).status
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(codes.filter { $0 == 201 }.count == 1 && codes.filter { $0 == 409 }.count == 5)
    }
}
