import App
import Postgres
import TestSupport
import Testing
import Wire

@testable import AuditTrail

@Suite struct AuditStreamStory {
    private static let made = Task {
        try await TestServer(["INFINITY_WEBHOOK_ALLOWED_RANGES": "127.0.0.1/32"])
    }

    private func stream(_ owner: Person, _ url: String, _ more: JSON = [:]) async throws -> String {
        var body = more.objectValue ?? JSON.Object()
        body["name"] = body["name"] ?? "SIEM"
        body["format"] = body["format"] ?? "ndjson"
        body["url"] = .string(url)
        return try await owner.client.post("/v1/audit-streams", .object(body)).expect(201).json.text("id")
    }

    private func state(_ owner: Person, _ id: String) async throws -> JSON {
        try await owner.client.get("/v1/audit-streams/\(id)").expect(200).json
    }

    @Test func `a collector gets every sealed change in order, and what comes later`() async throws {
        let server = try await Self.made.value
        let collector = try Collector()
        let owner = try await Person(signedUpOn: server, company: "Watched")
        let id = try await stream(
            owner, collector.url("/ok"),
            ["after_seq": 0, "headers": [["name": "Authorization", "value": "Bearer collector-key"]]])
        try await owner.client.post("/v1/teams", ["name": "Late"]).expect(201)
        let lines = try await eventually {
            let lines = try collector.taken(at: "/ok").flatMap { try $0.lines }
            return lines.contains { $0["event"]?["action"] == "team.created" } ? lines : nil
        }
        #expect(lines.map { $0["seq"]?.intValue } == Array(1...lines.count))
        for (one, next) in zip(lines, lines.dropFirst()) { #expect(one["hash"] == next["prev_hash"]) }
        #expect(collector.taken(at: "/ok").allSatisfy { $0.authorization == "Bearer collector-key" })
        #expect(collector.taken(at: "/ok")[0].type == "application/x-ndjson")
        let told = try await state(owner, id)
        #expect(told["header_names"] == ["authorization"] && !told.description.contains("collector-key"))
        // Set back, it sends again; paused, it sends nothing.
        try await owner.client.patch("/v1/audit-streams/\(id)", ["is_active": false]).expect(200)
        #expect(try await state(owner, id)["paused_reason"] == "manual")
        let before = collector.taken(at: "/ok").count
        try await owner.client.patch("/v1/audit-streams/\(id)", ["is_active": true, "after_seq": 0]).expect(
            200)
        _ = try await eventually {
            try collector.taken(at: "/ok").dropFirst(before).first?.lines.first?["seq"] == 1 ? true : nil
        }
        try await owner.client.delete("/v1/audit-streams/\(id)").expect(204)
        #expect(
            try server.database.psql("SELECT count(*) FROM audit_stream_lanes WHERE stream_id = '\(id)'")
                == "0\n")
    }

    @Test func `OTLP records have the names and types the protocol asks for`() async throws {
        let server = try await Self.made.value
        let collector = try Collector()
        let owner = try await Person(signedUpOn: server, company: "Telemetered")
        _ = try await stream(owner, collector.url("/v1/logs"), ["format": "otlp"])
        try await owner.client.post("/v1/teams", ["name": "Traced"]).expect(201)
        let record = try await eventually {
            let records = try collector.taken(at: "/v1/logs").flatMap { taken -> [JSON] in
                #expect(taken.type == "application/json")
                let body = try JSON.parse(taken.body)
                let scope = body["resourceLogs"]?[0]?["scopeLogs"]?[0]
                #expect(scope?["scope"]?["name"] == "infinity.audit")
                return scope?["logRecords"]?.arrayValue ?? []
            }
            return records.first { $0["eventName"] == "infinity.team.created" }
        }
        #expect(record["severityNumber"] == 9)
        let nanoseconds = try #require(record["timeUnixNano"]?.stringValue)
        #expect(nanoseconds.count == 19 && nanoseconds.allSatisfy(\.isNumber))
        let attributes = record["attributes"]?.arrayValue ?? []
        let seq = attributes.first { $0["key"] == "audit.seq" }?["value"]?["intValue"]?.stringValue
        #expect(seq.flatMap { Int($0) } != nil)
        #expect(
            attributes.contains { $0["key"] == "audit.target_type" && $0["value"]?["stringValue"] == "team" })
    }

    @Test func `what a receiver does not take is sent again, and one that is gone is left alone`()
        async throws
    {
        let server = try await Self.made.value
        let collector = try Collector()
        let owner = try await Person(signedUpOn: server, company: "Flaky")
        let flaky = try await stream(owner, collector.url("/flaky"), ["after_seq": 0])
        let failed = try await eventually {
            let told = try await state(owner, flaky)
            return told["failures"] == 1 ? told : JSON?.none
        }
        #expect(failed["last_error"] == "status 503: full" && failed["sent_seq"] == 0)
        _ = try await eventually(within: .seconds(15)) {
            let told = try await state(owner, flaky)
            return told["failures"] == 0 && told["sent_seq"] != 0 ? true : nil
        }
        let first = try collector.taken(at: "/flaky")[0].lines.first
        #expect(try collector.taken(at: "/flaky")[1].lines.first == first)

        let gone = try await stream(owner, collector.url("/gone"), ["after_seq": 0, "name": "Old one"])
        _ = try await eventually { try await state(owner, gone)["paused_reason"] == "gone" ? true : nil }
        #expect(collector.taken(at: "/gone").count == 1)
        let told = try await owner.client.get("/v1/notifications?type=audit.stream_paused").expect(200).json[
            "data"]
        #expect(told?[0]?["title"]?.stringValue?.contains("Old one") == true)
    }

    @Test func `a trial says what the receiver said, and no private address is one`() async throws {
        let server = try await Self.made.value
        let collector = try Collector()
        let owner = try await Person(signedUpOn: server, company: "Trying")
        let id = try await stream(owner, collector.url("/gone"), ["after_seq": 0])
        let trial = try await owner.client.post("/v1/audit-streams/\(id)/test").expect(200).json
        #expect(trial["is_taken"] == false && trial["status"] == 410)
        #expect(
            try collector.taken(at: "/gone").contains { try $0.lines[0]["event"]?["action"] == "audit.test" })
        for url in ["http://169.254.169.254/latest", "http://10.0.0.1/", "http://[::1]/"] {
            let refused = try await owner.client.post(
                "/v1/audit-streams", ["name": "No", "url": .string(url), "format": "otlp"])
            #expect(refused.code == "audit-stream-url-not-allowed", "\(url)")
        }
        let member = try await owner.colleague(.member)
        try await member.client.get("/v1/audit-streams").expect(403)
    }
}
