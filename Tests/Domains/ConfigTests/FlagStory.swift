import API
import App
import Core
import Postgres
import TestSupport
import Testing
import Wire

@Suite struct FlagStory {
    private let server: TestServer
    private let owner: Person

    init() async throws {
        server = try await House.shared()
        owner = try await Person(signedUpOn: server, company: "Flag Makers")
    }

    private static func rules(_ share: Int, prerequisites: JSON = []) -> JSON {
        [
            "rules": [
                "variants": [["name": "on", "value": true], ["name": "off", "value": false]],
                "off_variant": "off",
                "default": ["variant": "off"], "prerequisites": prerequisites,
                "rules": [["rollout": JSON(share), "serve": ["variant": "on"]]],
            ]
        ]
    }

    private func make(_ key: String, _ more: JSON.Object = [:]) async throws {
        var body: JSON.Object = ["key": .string(key), "is_on": true]
        for (name, value) in more.members { body[name] = value }
        try await owner.client.post("/v1/feature-flags", .object(body)).expect(201)
    }

    private func answer(_ key: String, _ context: JSON = ["targetingKey": "u1"]) async throws -> JSON {
        try await owner.client.post("/v1/feature-flags/\(key)/evaluation", ["context": context]).expect(200)
            .json["decision"] ?? .null
    }

    @Test func `a flag is made, switched, given rules, read back and explained`() async throws {
        try await make("new-checkout", ["description": "One page"])
        #expect(try await answer("new-checkout")["value"] == true)
        try await owner.client.post("/v1/feature-flags/new-checkout/toggle", ["is_on": false]).expect(200)
        #expect(try await answer("new-checkout")["reason"] == "off")
        try await owner.client.post("/v1/feature-flags/new-checkout/toggle", ["is_on": true]).expect(200)
        let set = try await owner.client.put("/v1/feature-flags/new-checkout/rules", Self.rules(10_000))
            .expect(200)
        #expect(set.json["version"] == 4)
        let decision = try await answer("new-checkout")
        #expect(decision["value"] == true)
        #expect(decision["reason"] == "rule")
        let explained = try await owner.client.post(
            "/v1/feature-flags/new-checkout/evaluation", ["context": ["targetingKey": "u1"]]
        ).expect(200)
        #expect(explained.json["steps"]?[0]?["fits"] == true)
        let part = try await owner.client.put("/v1/feature-flags/new-checkout/rules", Self.rules(5000))
            .expect(200)
        #expect(part.json["rules"]?["rules"]?[0]?["rollout"] == 5000)
        let drawn = try await answer("new-checkout")
        let bucket = try #require(
            try await owner.client.post(
                "/v1/feature-flags/new-checkout/evaluation", ["context": ["targetingKey": "u1"]]
            )
            .json["steps"]?[0]?["bucket"]?.intValue)
        #expect(drawn["value"] == .bool(bucket < 5000))
    }

    @Test func `history is kept, and an earlier version comes back as a new one`() async throws {
        try await make("revertible")
        try await owner.client.put("/v1/feature-flags/revertible/rules", Self.rules(0)).expect(200)
        #expect(try await answer("revertible")["value"] == false)
        let back = try await owner.client.post("/v1/feature-flags/revertible/revert/1").expect(200)
        #expect(back.json["version"] == 3)
        #expect(try await answer("revertible")["value"] == true)
        let history = try await owner.client.get("/v1/feature-flags/revertible/history").expect(200)
        #expect(
            history.json["data"]?.arrayValue?.compactMap { $0["action"]?.stringValue } == [
                "reverted", "rules_set", "created",
            ])
        try await owner.client.post("/v1/feature-flags/revertible/revert/99").expect(404)
        let record = try await owner.client.get("/v1/activity?action=flag.rules_set").expect(200)
        #expect(record.json["data"]?[0]?["before"]?["rules"] != nil)
        #expect(record.json["data"]?[0]?["after"]?["rules"] != nil)
    }

    @Test func `rules that could not decide are refused in place`() async throws {
        try await make("checked")
        let wrong: JSON = [
            "rules": [
                "variants": [["name": "a", "value": 1], ["name": "a", "value": "x"]], "off_variant": "b",
                "default": ["split": [["variant": "a", "weight": 10]]],
                "rules": [
                    [
                        "serve": [:], "segments": ["nowhere"],
                        "conditions": [["attribute": "n", "operator": "num_gt", "values": ["many"]]],
                    ]
                ],
                "prerequisites": [["flag": "unknown", "variants": ["on"]]],
            ]
        ]
        let refused = try await owner.client.put("/v1/feature-flags/checked/rules", wrong).expect(422)
        let places = Set(refused.json["errors"]?.arrayValue?.compactMap { $0["pointer"]?.stringValue } ?? [])
        #expect(
            places == [
                "/rules/variants/1/name", "/rules/variants/1/value", "/rules/off_variant",
                "/rules/default/split",
                "/rules/rules/0/serve", "/rules/rules/0/segments/0", "/rules/rules/0/conditions/0/values",
                "/rules/prerequisites/0/flag",
            ])
    }

    @Test func `flags cannot wait for each other in a ring, nor be deleted under one that needs them`()
        async throws
    {
        try await make("first")
        try await make(
            "second",
            ["rules": Self.rules(10_000, prerequisites: [["flag": "first", "variants": ["on"]]])["rules"]!])
        let ring = try await owner.client.put(
            "/v1/feature-flags/first/rules",
            Self.rules(10_000, prerequisites: [["flag": "second", "variants": ["on"]]])
        ).expect(422)
        #expect(ring.json["errors"]?[0]?["code"] == "ring")
        #expect(try await owner.client.delete("/v1/feature-flags/first").expect(409).code == "flag-in-use")
        try await owner.client.post("/v1/feature-flags/first/toggle", ["is_on": false]).expect(200)
        #expect(try await answer("second")["reason"] == "prerequisite")
        try await owner.client.delete("/v1/feature-flags/second").expect(204)
        try await owner.client.delete("/v1/feature-flags/first").expect(204)
    }

    @Test func `a segment decides for all flags that go by it`() async throws {
        let condition: JSON = ["attribute": "plan", "operator": "in", "values": ["gold"]]
        try await owner.client.post("/v1/segments", ["key": "gold-people", "conditions": [condition]]).expect(
            201)
        try await make(
            "by-segment",
            [
                "rules": [
                    "variants": [["name": "on", "value": true], ["name": "off", "value": false]],
                    "off_variant": "off",
                    "default": ["variant": "off"],
                    "rules": [["segments": ["gold-people"], "serve": ["variant": "on"]]],
                ]
            ])
        #expect(try await answer("by-segment", ["plan": "gold"])["value"] == true)
        #expect(try await answer("by-segment", ["plan": "free"])["value"] == false)
        try await owner.client.patch(
            "/v1/segments/gold-people",
            ["conditions": [["attribute": "plan", "operator": "in", "values": ["free"]]]]
        ).expect(200)
        #expect(try await answer("by-segment", ["plan": "free"])["value"] == true)
        #expect(
            try await owner.client.delete("/v1/segments/gold-people").expect(409).code == "segment-in-use")
    }

    @Test func `a change reaches the other instance within a second`() async throws {
        let other = try await House.another(beside: server)
        try await make("everywhere")
        let there = other.client.with(token: owner.token)
        let ask: JSON = ["context": ["targetingKey": "u1"]]
        _ = try await eventually {
            try await there.post("/v1/feature-flags/everywhere/evaluation", ask).json["decision"]?["value"]
        }
        for isOn in [false, true, false, true] {
            try await owner.client.post("/v1/feature-flags/everywhere/toggle", ["is_on": .bool(isOn)]).expect(
                200)
            // This instance answers by it from the next request on.
            #expect(try await answer("everywhere")["value"] == .bool(isOn))
            let began = ContinuousClock.now
            _ = try await eventually { () -> Bool? in
                let value = try await there.post("/v1/feature-flags/everywhere/evaluation", ask).json[
                    "decision"]?["value"]
                return value == .bool(isOn) ? true : nil
            }
            #expect(ContinuousClock.now - began < .seconds(1))
        }
        await other.stop()
    }

    @Test func `no more flags than the company may have, however many ask at once`() async throws {
        let person = try await Person(signedUpOn: server, company: "Few Flags")
        let company = try #require(person.companyId.flatMap { UUID($0) })
        _ = try await server.instance.database.query(
            "INSERT INTO quota_overrides (company_id, quota, amount) VALUES (\(company), 'feature_flags', 10)",
            as: Tenant(company: company))
        let made = try await withThrowingTaskGroup { group in
            for number in 0..<64 {
                group.addTask {
                    let answer = try await person.client.post(
                        "/v1/feature-flags", ["key": .string("flag-\(number)")])
                    if answer.status == 403 { #expect(answer.code == "quota-used-up") }
                    return answer.status
                }
            }
            return try await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
        }
        #expect(made == [201: 10, 403: 54])
        #expect(try await person.client.get("/v1/quotas/feature_flags").json["used"] == 10)
        let others = try await owner.client.get("/v1/feature-flags?q=flag-").expect(200)
        #expect(others.json["data"] == [], "another company's flags do not exist")
    }

    @Test func `a flag that is asked for says when, one that is not is stale`() async throws {
        try await make("seen")
        try await make("unseen", ["stale_at": "2026-01-01T00:00:00Z"])
        try await owner.client.post("/v1/ofrep/v1/evaluate/flags/seen", ["context": ["targetingKey": "u1"]])
            .expect(200)
        try await server.instance.environment[FlagStore.self].tellSightings()
        let seen = try await owner.client.get("/v1/feature-flags/seen").expect(200)
        #expect(seen.json["last_seen_at"]?.stringValue != nil)
        #expect(seen.json["evaluations"] == 1)
        let stale = try await owner.client.get("/v1/feature-flags?is_stale=true").expect(200)
        let keys = stale.json["data"]?.arrayValue?.compactMap { $0["key"]?.stringValue } ?? []
        #expect(keys.contains("unseen") && !keys.contains("seen"))
    }

    @Test func `OFREP answers a single flag, all of them, and 304 while nothing has changed`() async throws {
        try await make("ofrep-on")
        try await make("ofrep-drawn", ["rules": Self.rules(5000)["rules"]!])
        let one = try await owner.client.post(
            "/ofrep/v1/evaluate/flags/ofrep-on", ["context": ["targetingKey": "u1"]]
        ).expect(200)
        #expect(one.json["value"] == true)
        #expect(one.json["reason"] == "STATIC")
        let ruled = try await owner.client.post(
            "/v1/feature-flags", ["key": "ofrep-ruled", "is_on": true, "rules": Self.rules(10_000)["rules"]!])
        try ruled.expect(201)
        let target = try await owner.client.post(
            "/ofrep/v1/evaluate/flags/ofrep-ruled", ["context": ["targetingKey": "u1"]])
        #expect(target.json["reason"] == "TARGETING_MATCH", "nothing was drawn")
        let unknown = try await owner.client.post("/ofrep/v1/evaluate/flags/no-such", ["context": [:]])
            .expect(404)
        #expect(unknown.json["errorCode"] == "FLAG_NOT_FOUND")
        let unit = try await owner.client.post("/ofrep/v1/evaluate/flags/ofrep-drawn", ["context": [:]])
        #expect(unit.json["errorCode"] == "TARGETING_KEY_MISSING")
        let wrong = try await owner.client.post("/ofrep/v1/evaluate/flags/ofrep-on", ["context": [1]])
        #expect(wrong.json["errorCode"] == "INVALID_CONTEXT")
        let all = try await owner.client.post("/ofrep/v1/evaluate/flags", ["context": ["targetingKey": "u1"]])
            .expect(200)
        let tag = try #require(all.header("etag"))
        #expect(all.json["flags"]?.arrayValue?.count ?? 0 >= 2)
        let same = owner.client.with(header: "If-None-Match", tag)
        #expect(
            try await same.post("/ofrep/v1/evaluate/flags", ["context": ["targetingKey": "u1"]]).status == 304
        )
        try await owner.client.post("/v1/feature-flags/ofrep-on/toggle", ["is_on": false]).expect(200)
        let changed = try await same.post("/ofrep/v1/evaluate/flags", ["context": ["targetingKey": "u1"]])
            .expect(200)
        #expect(changed.header("etag") != tag)
        try await owner.colleague(.viewer).client.post("/ofrep/v1/evaluate/flags", ["context": [:]]).expect(
            403)
    }
}
