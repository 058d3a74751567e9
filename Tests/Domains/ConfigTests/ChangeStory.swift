import API
import App
import Core
import Postgres
import TestSupport
import Testing
import Wire

/// Changes that wait for somebody else or for their time, and how far they reach.
@Suite struct ChangeStory {
    private let server: TestServer
    private let owner: Person

    init() async throws {
        server = try await House.shared()
        owner = try await Person(signedUpOn: server, company: "Careful")
    }

    private func make(_ key: String, needsApproval: Bool = false, isOn: Bool = false) async throws {
        try await owner.client.post(
            "/v1/feature-flags",
            ["key": .string(key), "needs_approval": .bool(needsApproval), "is_on": .bool(isOn)]
        ).expect(201)
    }

    private func propose(_ key: String, _ more: JSON.Object = [:], by person: Person? = nil) async throws
        -> String
    {
        var body: JSON.Object = ["target": "flag", "key": .string(key), "change": ["is_on": true]]
        for (name, value) in more.members { body[name] = value }
        return try await (person ?? owner).client.post("/v1/config-changes", .object(body)).expect(201).json
            .text("id")
    }

    private func isOn(_ key: String) async throws -> JSON? {
        try await owner.client.get("/v1/feature-flags/\(key)").expect(200).json["is_on"]
    }

    @Test func `what needs four eyes is not changed by two, but switching off never waits`() async throws {
        let admin = try await owner.colleague(.admin)
        try await make("guarded", needsApproval: true)
        #expect(
            try await owner.client.post("/v1/feature-flags/guarded/toggle", ["is_on": true]).expect(409).code
                == "approval-required")
        #expect(
            try await owner.client.patch("/v1/feature-flags/guarded", ["needs_approval": false]).expect(409)
                .code == "approval-required")
        let id = try await propose("guarded")
        #expect(
            try await owner.client.post("/v1/config-changes/\(id)/approve").expect(403).code == "own-change")
        #expect(try await isOn("guarded") == false)
        let approved = try await admin.client.post("/v1/config-changes/\(id)/approve").expect(200)
        #expect(approved.json["state"] == "applied")
        #expect(try await isOn("guarded") == true)
        #expect(
            try await admin.client.post("/v1/config-changes/\(id)/approve").expect(409).code
                == "change-decided")
        try await owner.client.post("/v1/feature-flags/guarded/toggle", ["is_on": false]).expect(200)
        #expect(try await isOn("guarded") == false)
    }

    @Test func `a proposal changes nothing that anybody evaluates, and so raises no version`() async throws {
        let admin = try await owner.colleague(.admin)
        try await make("proposed", needsApproval: true)
        let company = try #require(owner.companyId)
        let version = {
            try server.database.psql(
                "SELECT version FROM config_versions WHERE company_id = '\(company)' AND kind = 'flags'")
        }
        let before = try version()
        let id = try await propose("proposed")
        #expect(try version() == before)
        try await admin.client.post("/v1/config-changes/\(id)/approve").expect(200)
        #expect(try version() != before)
        #expect(try await isOn("proposed") == true)
    }

    @Test func `a company can ask for four eyes on everything`() async throws {
        let admin = try await owner.colleague(.admin)
        try await make("plain")
        try await owner.client.put("/v1/settings/config.four_eyes", ["value": true]).expect(200)
        try await owner.client.post("/v1/feature-flags/plain/toggle", ["is_on": true]).expect(409)
        try await owner.client.put("/v1/settings/config.four_eyes", ["value": false]).expect(409)
        let change: JSON = ["target": "setting", "key": "config.four_eyes", "change": ["value": false]]
        let id = try await owner.client.post("/v1/config-changes", change).expect(201).json.text("id")
        try await admin.client.post("/v1/config-changes/\(id)/approve").expect(200)
        try await owner.client.post("/v1/feature-flags/plain/toggle", ["is_on": true]).expect(200)
    }

    @Test func `a scheduled change is made when its time comes, a cancelled one never`() async throws {
        try await make("later")
        try await make("never")
        let soon = JSON.string((Timestamp.now + .seconds(2)).description)
        let later = try await propose("later", ["apply_at": soon, "reason": "Launch"])
        let never = try await propose("never", ["apply_at": soon])
        try await owner.client.post("/v1/config-changes/\(never)/cancel").expect(200)
        #expect(try await isOn("later") == false)
        _ = try await eventually(within: .seconds(30)) { try await isOn("later") == true ? true : nil }
        let done = try await owner.client.get("/v1/config-changes/\(later)").expect(200)
        #expect(done.json["state"] == "applied")
        #expect(try await isOn("never") == false)
        let history = try await owner.client.get("/v1/feature-flags/later/history").expect(200)
        #expect(history.json["data"]?[0]?["actor_kind"] == "system")
    }

    @Test func `a change of what has changed since fails instead of undoing that`() async throws {
        let admin = try await owner.colleague(.admin)
        try await make("moved", needsApproval: true, isOn: true)
        let id = try await propose("moved", ["change": ["is_on": true]])
        try await owner.client.post("/v1/feature-flags/moved/toggle", ["is_on": false]).expect(200)
        let failed = try await admin.client.post("/v1/config-changes/\(id)/approve").expect(200)
        #expect(failed.json["state"] == "failed")
        #expect(failed.json["failure"]?.stringValue != nil)
        #expect(try await isOn("moved") == false)
    }

    @Test func `another company's change does not exist, and nonsense is refused in place`() async throws {
        try await make("mine", needsApproval: true)
        let id = try await propose("mine")
        let stranger = try await Person(signedUpOn: server, company: "Strangers")
        try await stranger.client.get("/v1/config-changes/\(id)").expect(404)
        try await stranger.client.post("/v1/config-changes/\(id)/approve").expect(404)
        for change in [["value": 1], [:]] as [JSON] {
            let body: JSON = ["target": "flag", "key": "mine", "change": change]
            #expect(
                try await owner.client.post("/v1/config-changes", body).expect(422).json["errors"]?[0]?[
                    "pointer"] == "/change")
        }
        try await owner.client.post(
            "/v1/config-changes", ["target": "flag", "key": "none", "change": ["is_on": true]]
        ).expect(404)
    }

    @Test func `a preview counts whom a change would reach, and changes nothing`() async throws {
        _ = try await owner.colleague(.member)
        _ = try await owner.colleague(.viewer)
        try await make("previewed", isOn: true)
        let rules: JSON = [
            "variants": [["name": "on", "value": true], ["name": "off", "value": false]],
            "off_variant": "off",
            "default": ["variant": "on"],
            "rules": [
                [
                    "conditions": [
                        ["attribute": "roles", "operator": "in", "values": ["viewer", "member"]]
                    ], "serve": ["variant": "off"],
                ]
            ],
        ]
        let contexts: JSON = [["targetingKey": "c1", "roles": ["viewer"]], ["targetingKey": "c2"]]
        let radius = try await owner.client.post(
            "/v1/feature-flags/previewed/preview", ["rules": rules, "contexts": contexts]
        ).expect(200).json
        #expect(radius["people"] == 3)
        #expect(radius["changed_people"] == 2)
        #expect(radius["changed_companies"] == 1)
        #expect(radius["changed_contexts"] == 1)
        #expect(radius["before"] == ["on": 5])
        #expect(radius["after"] == ["on": 2, "off": 3])
        #expect(try await owner.client.get("/v1/feature-flags/previewed").json["version"] == 1)
    }

    @Test func `operators set flags of the product, and everybody asks what is on for them`() async throws {
        let operations = try await Person.operator(on: server)
        try await operations.client.post("/v1/system/feature-flags", ["key": "new-editor", "is_on": true])
            .expect(201)
        #expect(
            try await owner.client.get("/v1/features").expect(200).json["features"]?["new-editor"] == true)
        let rules: JSON = [
            "rules": [
                "variants": [["name": "on", "value": true], ["name": "off", "value": false]],
                "off_variant": "off",
                "default": ["variant": "off"],
                "rules": [
                    [
                        "conditions": [["attribute": "plan", "operator": "in", "values": ["gold"]]],
                        "serve": ["variant": "on"],
                    ]
                ],
            ]
        ]
        try await operations.client.put("/v1/system/feature-flags/new-editor/rules", rules).expect(200)
        #expect(try await owner.client.get("/v1/features").json["features"]?["new-editor"] == false)
        let company = owner.companyId ?? ""
        try await operations.client.put("/v1/system/companies/\(company)/plan", ["plan": "gold"]).expect(200)
        #expect(try await owner.client.get("/v1/features").json["features"]?["new-editor"] == true)
        let radius = try await operations.client.post(
            "/v1/system/feature-flags/new-editor/preview", ["is_on": false]
        ).expect(200)
        #expect((radius.json["people"]?.intValue ?? 0) > 0)
        #expect(try await owner.client.get("/v1/feature-flags?q=new-editor").json["data"] == [])
        try await owner.client.get("/v1/system/feature-flags").expect(403)
        try await operations.client.delete("/v1/system/feature-flags/new-editor").expect(204)
    }

    @Test func `operators give limits and grants, and read how an instance is set`() async throws {
        let operations = try await Person.operator(on: server)
        let company = owner.companyId ?? ""
        let path = "/v1/system/companies/\(company)/quotas/feature_flags"
        let set = try await operations.client.put(path, ["limit": 10, "note": "Asked for"]).expect(200)
        #expect(set.json["limit"] == 10)
        try await operations.client.post(
            "/v1/quota-grants", ["company_id": .string(company), "quota": "feature_flags", "amount": 5]
        ).expect(201)
        #expect(try await owner.client.get("/v1/quotas/feature_flags").json["limit"] == 15)
        #expect(try await owner.client.get("/v1/quota-grants").expect(200).json["data"]?[0]?["amount"] == 5)
        try await operations.client.delete(path).expect(204)
        #expect(try await owner.client.get("/v1/quotas/feature_flags").json["limit"] == 205)
        try await operations.client.put("/v1/system/companies/\(UUID.v7())/plan", ["plan": "gold"]).expect(
            404)
        let config = try await operations.client.get("/v1/system/config").expect(200)
        #expect(
            config.json["settings"]?.arrayValue?.contains {
                $0["name"] == "INFINITY_SECRET_KEY" && $0["value"] == "***"
            } == true)
        try await operations.client.get("/v1/system/info").expect(200)
    }

    @Test func `reaching a threshold is told once, as an event and to those who answer for the company`()
        async throws
    {
        let company = try #require(owner.companyId.flatMap { UUID($0) })
        let quota = Quota("test_told", "Told", unit: "pieces", limit: 10)
        let db = server.instance.database
        for _ in 0..<6 {
            try await db.transaction(as: Tenant(company: company)) { tx in
                _ = try await Quotas.take(quota, 1, company: company, in: tx)
            }
        }
        let inbox = try await eventually { () -> [JSON]? in
            let found =
                try await owner.client.get("/v1/notifications").expect(200).json["data"]?.arrayValue ?? []
            let told = found.filter { $0["type"] == "quota.threshold_reached" }
            return told.isEmpty ? nil : told
        }
        #expect(inbox.count == 1)
    }
}
