import Core
import Postgres
import TestSupport
import Testing
import Wire

@testable import CRM

/// Letters that follow each other until somebody answers.
@Suite struct SequenceStory {
    private struct Stage {
        let world: World
        let records: CRMRecords
        let sequence: String

        init(_ name: String, _ steps: JSON, dailyMax: JSON = 200) async throws {
            world = try await World(name)
            records = try CRMRecords(world)
            sequence = try await world.owner.client.post(
                "/v1/sequences",
                [
                    "name": "Welcome", "steps": steps, "is_active": true, "from_hour": 0, "to_hour": 24,
                    "daily_max": dailyMax,
                ]
            ).expect(201).json.text("id")
        }

        func enrol(_ contacts: [String]) async throws -> Answer {
            try await world.server.client.with(token: world.owner.token)
                .post("/v1/sequences/\(sequence)/enrol", ["contact_ids": .array(contacts.map(JSON.string))])
                .expect(200)
        }

        /// Lets everything that is due be done, whatever hour and day it is.
        func run(letTimePass: Bool = false) async throws {
            let instance = world.server.instance
            if letTimePass {
                _ = try await instance.database.query(
                    "UPDATE sequence_enrolments SET due_at = now() WHERE company_id = \(records.company) AND state = 'active'",
                    as: Tenant(company: records.company))
            }
            try await SequenceRun.run(records.company, instance.database, instance.environment)
        }

        func states() async throws -> [String] {
            let listed = try await world.owner.client.get("/v1/sequences/\(sequence)/enrolments").expect(200)
            return (listed.json["data"]?.arrayValue ?? []).map {
                "\($0["state"]?.stringValue ?? "") \($0["stopped_for"]?.stringValue ?? "-")"
            }
        }
    }

    private let twoSteps: JSON = [
        ["kind": "activity", "subject": "Call {{first_name}}"],
        ["kind": "field", "wait_hours": 1, "field": "lifecycle", "value": "qualified"],
    ]

    @Test func `each step is taken once, though the round that took it is repeated`() async throws {
        let stage = try await Stage("Step Works", twoSteps)
        let anna = try await stage.records.contact("Anna Berg")
        let first = try await stage.enrol([anna])
        let second = try await stage.enrol([anna])
        #expect([first.json["enrolled"], second.json["enrolled"]] == [1, 0])
        try await stage.run()
        // As after a death between the step and what follows it.
        _ = try await stage.world.server.instance.database.query(
            "UPDATE sequence_enrolments SET step = 0, due_at = now() WHERE company_id = \(stage.records.company)",
            as: Tenant(company: stage.records.company))
        try await stage.run()
        let calls = try await stage.world.owner.client.get("/v1/activities?contact_id=\(anna)").expect(200)
        #expect(calls.json["data"]?.arrayValue?.count == 1)
        #expect(calls.json["data"]?[0]?["title"] == "Call Anna")
        try await stage.run(letTimePass: true)
        #expect(try await stage.states() == ["finished -"])
        let stats = try await stage.world.owner.client.get("/v1/sequences/\(stage.sequence)/stats").expect(
            200)
        #expect(stats.json["finished"] == 1)
        #expect(stats.json["steps"]?.arrayValue?.count == 2)
    }

    @Test func `a letter goes out once in working hours, and a reply ends the sequence`() async throws {
        let stage = try await Stage(
            "Mail Works",
            [
                ["kind": "email", "subject": "Hello {{first_name}}", "body": "May I call you, {{name}}?"],
                ["kind": "email", "wait_hours": 1, "subject": "Again", "body": "Still there?"],
            ])
        let address = "anna-\(UUID.v7())@mail.example"
        let anna = try await stage.records.contact("Anna Berg", email: address)
        _ = try await stage.enrol([anna])
        try await stage.run()
        let slot = try await stage.world.owner.client.get("/v1/sequences/\(stage.sequence)/enrolments")
            .expect(200)
        let step = slot.json["data"]?[0]?["step"]?.intValue ?? 0
        // On a weekend it waits for Monday; on a working day it is out.
        let sent = try await stage.world.owner.client.get("/v1/activities?contact_id=\(anna)&kind=email")
            .expect(200)
        #expect(sent.json["data"]?.arrayValue?.count == step)
        _ = try await stage.world.owner.client.post(
            "/v1/activities",
            [
                "kind": "email", "direction": "in", "title": "Yes", "contact_ids": [.string(anna)],
            ]
        ).expect(201)
        try await stage.run(letTimePass: true)
        #expect(try await stage.states() == ["stopped reply"])
    }

    @Test func `one click ends all letters, and what is paused waits`() async throws {
        let stage = try await Stage(
            "Stop Works", [["kind": "email", "wait_hours": 1, "subject": "Hello", "body": "There"]])
        let address = "bert-\(UUID.v7())@stop.example"
        let bert = try await stage.records.contact("Bert Wolf", email: address)
        _ = try await stage.enrol([bert])
        let me = stage.world.owner.client
        let listed = try await me.get("/v1/sequences/\(stage.sequence)/enrolments?state=active").expect(200)
        let id = try #require(listed.json["data"]?[0]?["id"]?.stringValue)
        _ = try await me.post("/v1/enrolments/\(id)/pause").expect(200)
        try await stage.run(letTimePass: true)
        #expect(try await stage.states() == ["paused -"])
        _ = try await me.post("/v1/enrolments/\(id)/resume").expect(200)
        let link = SequenceOptOut(stage.world.server.instance.environment).link(
            for: address, stage.records.company)
        let path = "/v1/public/letters/\(try #require(link.split(separator: "/").last))"
        _ = try await stage.world.server.client.get(path).expect(200)
        let click = try await stage.world.server.client.send(
            "POST", path, body: Array("List-Unsubscribe=One-Click".utf8),
            type: "application/x-www-form-urlencoded")
        #expect(click.status == 200)
        try await stage.run(letTimePass: true)
        #expect(try await stage.states() == ["stopped opted-out"])
        _ = try await me.post("/v1/enrolments/\(id)/stop").expect(409)
        _ = try await stage.world.server.client.get("/v1/public/letters/AAAA").expect(404)
    }

    @Test func `who is enrolled keeps the version he began with`() async throws {
        let stage = try await Stage("Version Works", twoSteps)
        let anna = try await stage.records.contact("Anna Berg")
        _ = try await stage.enrol([anna])
        let me = stage.world.owner.client
        let path = "/v1/sequences/\(stage.sequence)"
        let changed = try await me.with(header: "if-match", "\"1\"").patch(
            path, ["steps": [["kind": "activity", "subject": "Other"]]]
        ).expect(200)
        #expect(changed.json["current"] == 2)
        try await stage.run()
        let calls = try await me.get("/v1/activities?contact_id=\(anna)").expect(200)
        #expect(calls.json["data"]?[0]?["title"] == "Call Anna")
        _ = try await me.post("/v1/sequences", ["name": "Bad", "steps": [["kind": "email"]]]).expect(422)
        _ = try await me.post(
            "/v1/sequences", ["name": "welcome", "steps": [["kind": "activity", "subject": "x"]]]
        ).expect(409)
        _ = try await me.delete(path).expect(204)
        _ = try await me.get(path).expect(404)
    }
}
