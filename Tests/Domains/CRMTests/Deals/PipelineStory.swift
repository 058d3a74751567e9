import TestSupport
import Testing
import Wire

/// Pipelines and stages, changed while deals are in them.
@Suite struct PipelineStory {
    @Test func `a company has the usual pipeline from the first look on`() async throws {
        let floor = try await SalesFloor()
        let stages = try await floor.client.get("/v1/pipelines/\(floor.pipeline)/stages").expect(200)
        #expect(stages.texts("name") == ["New", "Qualified", "Proposal", "Negotiation", "Won", "Lost"])
        #expect(stages.texts("kind") == ["open", "open", "open", "open", "won", "lost"])
    }

    @Test func `a pipeline has an open stage, one for won and one for lost deals`() async throws {
        let floor = try await SalesFloor()
        let bad = try await floor.client.post(
            "/v1/pipelines",
            ["name": "Renewals", "stages": [["name": "Due"], ["name": "Renewed", "kind": "won"]]])
        #expect(bad.status == 422)
        let made = try await floor.client.post(
            "/v1/pipelines",
            [
                "name": "Renewals",
                "stages": [
                    ["name": "Due"], ["name": "Renewed", "kind": "won"], ["name": "Gone", "kind": "lost"],
                ],
            ]
        ).expect(201)
        let path = "/v1/pipelines/\(try made.json.text("id"))"
        let stages = made.json["stages"]?.arrayValue ?? []
        #expect(stages.map { $0["probability_bp"]?.intValue } == [5_000, 10_000, 0])
        for stage in stages {
            #expect(
                try await floor.client.delete("\(path)/stages/\(stage.text("id"))").code == "stage-is-needed")
        }
        #expect(
            try await floor.client.post("/v1/pipelines", ["name": "renewals"]).code == "pipeline-name-taken")
        #expect(
            try await floor.client.post("\(path)/stages", ["name": "Also won", "kind": "won"]).code
                == "stage-is-needed")
        #expect(
            try await floor.client.post(
                "\(path)/stages", ["name": "Sure", "kind": "lost", "probability_bp": 100]
            ).status == 422)
        try await floor.client.post("\(path)/stages", ["name": "Called", "required_fields": ["amount"]])
            .expect(201)
        #expect(
            try await floor.client.post("\(path)/stages", ["name": "X", "required_fields": ["amuont"]]).status
                == 422)
        #expect(
            try await floor.client.get("\(path)/stages").texts("name") == [
                "Due", "Called", "Renewed", "Gone",
            ])
        let ids = try await floor.client.get("\(path)/stages").texts("id")
        let turned = try await floor.client.put(
            "\(path)/stages/order", ["ids": .array(ids.reversed().map(JSON.string))]
        ).expect(200)
        #expect(turned.texts("name") == ["Gone", "Renewed", "Called", "Due"])
        #expect(try await floor.client.put("\(path)/stages/order", ["ids": [.string(ids[0])]]).status == 422)
    }

    @Test func `the default pipeline stays until another one is`() async throws {
        let floor = try await SalesFloor()
        let path = "/v1/pipelines/\(floor.pipeline)"
        #expect(try await floor.client.delete(path).code == "pipeline-is-default")
        #expect(try await floor.client.post("\(path)/archive").code == "pipeline-is-default")
        #expect(try await floor.client.patch(path, ["is_default": false]).code == "pipeline-is-default")
        let other = try await floor.client.post(
            "/v1/pipelines", ["name": "New business", "is_default": true]
        ).expect(201)
        #expect(other.json["is_default"] == true)
        #expect(try await floor.client.get(path).json["is_default"] == false)
        try await floor.client.post("\(path)/archive").expect(200)
        #expect(
            try await floor.client.post("/v1/deals", ["name": "X", "pipeline_id": .string(floor.pipeline)])
                .status == 422)
        try await floor.client.post("\(path)/restore").expect(200)
        try await floor.deal("X", ["pipeline_id": .string(floor.pipeline)])
        #expect(try await floor.client.delete(path).code == "pipeline-in-use")
    }

    @Test func `a stage goes when it is said where its deals go, and a used one keeps its meaning`()
        async throws
    {
        let floor = try await SalesFloor()
        let path = "/v1/pipelines/\(floor.pipeline)/stages"
        let (new, proposal, won) = (
            try floor.stage("New"), try floor.stage("Proposal"), try floor.stage("Won")
        )
        let deal = try await floor.deal("Relaunch")
        let gone = try await floor.deal("In the trash")
        try await floor.client.delete("/v1/deals/\(gone)").expect(204)
        #expect(try await floor.client.patch("\(path)/\(new)", ["kind": "lost"]).code == "stage-in-use")
        #expect(try await floor.client.delete("\(path)/\(new)").code == "stage-in-use")
        #expect(try await floor.client.delete("\(path)/\(new)?move_to=\(won)").status == 422)
        try await floor.client.delete("\(path)/\(new)?move_to=\(proposal)").expect(204)
        let moved = try await floor.client.get("/v1/deals/\(deal)").expect(200).json
        #expect(moved["stage_id"] == .string(proposal), "\(moved)")
        #expect(try await floor.client.get("/v1/deals/\(deal)/history").json["data"]?.arrayValue?.count == 2)
        #expect(
            try await floor.client.post("/v1/deals/\(gone)/restore").expect(200).json["stage_id"]
                == .string(proposal))
    }

    @Test func `who may not set up sells in what is there`() async throws {
        let floor = try await SalesFloor()
        let member = try await floor.world.owner.colleague(.member)
        #expect(try await member.client.post("/v1/pipelines", ["name": "Mine"]).status == 403)
        #expect(try await member.client.get("/v1/pipelines").status == 200)
        try await floor.deal("His", by: member)
    }
}
