import App
import Core
import Postgres
import TestSupport
import Testing
import Wire

@testable import AuditTrail

/// The record in the hands of others: auditors with a link, files made in the background, operators.
@Suite struct AuditSharingStory {
    private func owner(_ company: String) async throws -> Person {
        let owner = try await Person(signedUpOn: .shared(), company: company)
        for name in ["Launch", "Landing"] {
            try await owner.client.post("/v1/teams", ["name": .string(name)]).expect(201)
        }
        _ = try await eventually {
            try await owner.client.get("/v1/audit-events/verify").expect(200).json["unsealed_events"] == 0
                ? true : nil
        }
        return owner
    }

    private func path(_ url: String) -> String { String(url[url.range(of: "/v1/")!.lowerBound...]) }

    @Test func `an auditor reads what the link shows and nothing else, until it is revoked`() async throws {
        let server = try await TestServer.shared()
        let owner = try await owner("Under Audit")
        let made = try await owner.client.post(
            "/v1/audit-viewers", ["name": "Auditor", "selection": ["q": "action:team.*"]]
        ).expect(201).json
        let (id, link) = (try made.text("id"), path(try made.text("url")))
        let view = try await server.client.get(link).expect(200).json
        #expect(view["company"] == "Under Audit" && view["selection"] == ["q": "action:team.*"])
        let events = try await server.client.get("\(link)/events").expect(200).json["data"]?.arrayValue ?? []
        #expect(events.map { $0["action"] } == ["team.created", "team.created"])
        // The reader may ask for less, never for more.
        let less = try await server.client.get("\(link)/events?q=action:company.*").expect(200).json["data"]
        #expect(less?.arrayValue?.isEmpty == true)
        let page = try await server.client.get("\(link)/events?limit=1").expect(200).json
        let cursor = try #require(page["page"]?["next_cursor"]?.stringValue)
        let rest = try await server.client.get("\(link)/events?limit=1&cursor=\(cursor)").expect(200).json[
            "data"]
        #expect(rest?[0]?["id"] == events[1]["id"])
        let lines = try await server.client.get("\(link)/events.ndjson").expect(200).body
        #expect(lines.split(separator: UInt8(ascii: "\n")).count == 2)
        #expect(try await server.client.get("\(link)/verification").expect(200).json["is_whole"] == true)
        // Used is recorded once an hour, counted each time.
        let viewer = try await owner.client.get("/v1/audit-viewers/\(id)").expect(200).json
        #expect(viewer["uses"] == 7 && viewer["last_used_from"] == "127.0.0.1")
        let seen = try await owner.client.get("/v1/audit-events?action=audit.viewed").expect(200).json["data"]
        #expect(seen?.arrayValue?.count == 1)
        // Another link of the same form opens nothing, nor does this one once it is revoked or over.
        #expect(try await server.client.get(link + "x").code == "audit-view-invalid")
        try await owner.client.delete("/v1/audit-viewers/\(id)").expect(204)
        for rest in ["", "/events", "/events.ndjson", "/verification"] {
            #expect(try await server.client.get(link + rest).code == "audit-view-invalid")
        }
        let second = try await owner.client.post("/v1/audit-viewers", ["name": "Short"]).expect(201).json
        let over = path(try second.text("url"))
        try await server.client.get(over).expect(200)
        _ = try server.database.psql(
            "UPDATE audit_viewers SET expires_at = now() WHERE id = '\(try second.text("id"))'")
        #expect(try await server.client.get(over).code == "audit-view-invalid")
        let far: JSON = ["name": "Far", "expires_at": "2999-01-01T00:00:00Z"]
        try await owner.client.post("/v1/audit-viewers", far).expect(422)
    }

    @Test func `a file is made in the background, told of, opened by a link and taken away`() async throws {
        let server = try await TestServer.shared()
        let owner = try await owner("Exporting")
        for format in ["ndjson", "csv"] {
            let id = try await owner.client.post(
                "/v1/audit-exports", ["format": .string(format), "selection": ["action": ["team.*"]]]
            ).expect(202).json.text("id")
            let done = try await eventually {
                let told = try await owner.client.get("/v1/audit-exports/\(id)").expect(200).json
                return told["state"] == "done" ? told : JSON?.none
            }
            #expect(done["events"] == 2)
            let link = path(
                try await owner.client.post("/v1/audit-exports/\(id)/download-url").expect(200).json.text(
                    "url"))
            let file = try await server.client.get(link).expect(200).body
            #expect(file.count == done["bytes"]?.intValue)
            let direct = try await owner.client.get("/v1/audit-events.\(format)?action=team.*").expect(200)
                .body
            #expect(file == direct)
            let told = try await owner.client.get("/v1/notifications?type=audit.export_ready&object_id=\(id)")
                .expect(200)
            #expect(told.json["data"]?.arrayValue?.count == 1)
            // When its time is over the job that waits for it takes it away.
            _ = try server.database.psql(
                "UPDATE jobs SET due_at = now() WHERE kind = 'audit.export-end' AND arguments->>'export' = '\(id)'"
            )
            _ = try await eventually {
                try await owner.client.get("/v1/audit-exports/\(id)").expect(200).json["state"] == "expired"
                    ? true : nil
            }
            #expect(try await server.client.get(link).code == "export-link-invalid")
            #expect(
                try await owner.client.post("/v1/audit-exports/\(id)/download-url").code
                    == "audit-export-not-ready")
        }
        let refused = try await owner.client.post(
            "/v1/audit-exports", ["format": "csv", "selection": ["q": "colour:red"]])
        #expect(refused.status == 422)
    }

    @Test func `a whole chain is checked by a job, whose result is the verdict`() async throws {
        let owner = try await owner("Long Chain")
        let head = try await owner.client.get("/v1/audit-events/verify").expect(200).json
        let answer = try await owner.client.post("/v1/audit-verifications", [:]).expect(202)
        let id = try answer.json.text("job_id")
        #expect(answer.header("location") == "/v1/jobs/\(id)")
        let job = try await eventually {
            let job = try await owner.client.get("/v1/jobs/\(id)").expect(200).json
            return job["state"] == "done" ? job : JSON?.none
        }
        #expect(job["result"]?["is_whole"] == true)
        let checked = try #require(job["result"]?["events_checked"]?.intValue)
        #expect(checked >= (head["events_checked"]?.intValue ?? .max))
        let wrong: JSON = ["known_seq": 1, "known_hash": .string(String(repeating: "ab", count: 32))]
        let second = try await owner.client.post("/v1/audit-verifications", wrong).expect(202).json.text(
            "job_id")
        let verdict = try await eventually {
            let job = try await owner.client.get("/v1/jobs/\(second)").expect(200).json
            return job["state"] == "done" ? job["result"] : JSON?.none
        }
        #expect(verdict["first_bad_place"]?["fault"] == "unknown_chain")
    }

    @Test func `what operators change for all is recorded in a chain of the installation's own`() async throws
    {
        let server = try await TestServer.shared()
        let keeper = try await Person.operator(on: server)
        try await keeper.client.patch("/v1/job-queues/rehearsals", ["concurrency": 7]).expect(200)
        try await keeper.client.put("/v1/system/plan-limits/tiny/storage_bytes", ["limit": 1000]).expect(200)
        try await keeper.client.delete("/v1/system/plan-limits/tiny/storage_bytes").expect(204)
        let acts = try await keeper.client.get("/v1/system/audit-events?actor_id=\(keeper.userId)").expect(
            200)
        let found = acts.json["data"]?.arrayValue ?? []
        #expect(found.map { $0["action"] } == ["plan_limit.cleared", "plan_limit.set", "job_queue.changed"])
        #expect(found.last?["after"]?["concurrency"] == 7 && found.last?["after"]?["name"] == "rehearsals")
        let id = try #require(found.last?["id"]?.stringValue)
        let sealed = try await eventually {
            let event = try await keeper.client.get("/v1/system/audit-events/\(id)").expect(200).json
            return event["seq"] != .null ? event : JSON?.none
        }
        #expect(sealed["hash"] != .null)
        #expect(
            try await keeper.client.get("/v1/system/audit-events/verify").expect(200).json["is_whole"] == true
        )
        let lines = try await keeper.client.get("/v1/system/audit-events.ndjson").expect(200).body
        #expect(String(decoding: lines, as: UTF8.self).contains("job_queue.changed"))
        // No company sees it, nor does anybody who is no operator.
        let owner = try await Person(signedUpOn: server, company: "Plain")
        try await owner.client.get("/v1/system/audit-events").expect(403)
        let own = try await owner.client.get("/v1/audit-events?action=job_queue.*").expect(200).json["data"]
        #expect(own?.arrayValue?.isEmpty == true)
    }
}
