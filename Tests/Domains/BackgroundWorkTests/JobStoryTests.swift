import Core
import TestSupport
import Testing
import Wire

/// Jobs as their company and the operators see and steer them, over a real socket.
@Suite struct JobStoryTests {
    private func rehearse(
        _ person: Person, seconds: Int, ending: String = "done", key: String? = nil
    ) async throws -> Answer {
        var body: JSON.Object = ["seconds": .number(.init(seconds)), "ending": .string(ending)]
        if let key { body["unique_key"] = .string(key) }
        return try await person.client.post("/v1/job-rehearsals", .object(body))
    }

    private func begun(_ person: Person, seconds: Int, ending: String = "done") async throws -> String {
        try await rehearse(person, seconds: seconds, ending: ending).expect(202).json.text("job_id")
    }

    private func wait(_ person: Person, _ id: String, until state: String) async throws -> JSON {
        try await eventually(within: .seconds(20)) {
            let job = try await person.client.get("/v1/jobs/\(id)").expect(200).json
            // Not `nil`, which would be JSON's null.
            return job["state"]?.stringValue == state ? job : JSON?.none
        }
    }

    @Test func `a job is watched from its beginning to its result`() async throws {
        let server = try await TestServer.shared()
        let otto = try await Person.operator(on: server)
        let answer = try await rehearse(otto, seconds: 2).expect(202)
        let id = try answer.json.text("job_id")
        #expect(answer.header("location") == "/v1/system/jobs/\(id)")
        let stream = try await otto.client.get("/v1/jobs/\(id)/stream").expect(200).text
        let events = stream.split(separator: "\n").filter { $0.hasPrefix("event: ") }
        #expect(events.count >= 2 && events.last == "event: end", "\(stream)")
        #expect(events.dropLast().allSatisfy { $0 == "event: job" })
        #expect(stream.contains(#""progress":25"#) || stream.contains(#""progress":50"#), "\(stream)")
        let job = try await wait(otto, id, until: "done")
        #expect(job["result"]?["steps"]?.intValue == 4)
        #expect(job["attempt"]?.intValue == 1)
        let listed = try await otto.client.get("/v1/jobs?state=done&kind=jobs.rehearse").expect(200).json
        #expect(listed["data"]?.arrayValue?.contains { $0["id"]?.stringValue == id } == true)
    }

    @Test func `a running job that is cancelled ends soon, and cannot be cancelled again`() async throws {
        let server = try await TestServer.shared()
        let otto = try await Person.operator(on: server)
        let id = try await begun(otto, seconds: 600)
        _ = try await wait(otto, id, until: "running")
        try await otto.client.post("/v1/jobs/\(id)/cancel").expect(200)
        _ = try await wait(otto, id, until: "cancelled")
        let again = try await otto.client.post("/v1/jobs/\(id)/cancel")
        #expect(again.status == 409 && again.code == "job-finished", "\(again)")
    }

    @Test func `a dead job tells why and is retried`() async throws {
        let server = try await TestServer.shared()
        let otto = try await Person.operator(on: server)
        let id = try await begun(otto, seconds: 0, ending: "dead")
        let dead = try await wait(otto, id, until: "dead")
        #expect(dead["errors"]?[0]?["error"]?.stringValue == "the rehearsal was to end badly", "\(dead)")
        #expect(dead["errors"]?[0]?["worker"] == nil)
        let seen = try await otto.client.get("/v1/system/jobs/\(id)").expect(200).json
        #expect(seen["errors"]?[0]?["worker"]?.stringValue != nil)
        #expect(seen["company_id"]?.stringValue == otto.companyId)
        try await otto.client.post("/v1/jobs/\(id)/retry").expect(200)
        let twice = try await eventually {
            let job = try await otto.client.get("/v1/jobs/\(id)").expect(200).json
            return job["errors"]?.arrayValue?.count == 2 ? job : JSON?.none
        }
        #expect(twice["state"]?.stringValue == "dead", "\(twice)")
        let many = try await otto.client.post("/v1/jobs/retry", ["kind": "jobs.rehearse"]).expect(200).json
        #expect(many["changed"]?.intValue == 1 && many["has_more"]?.boolValue == false)
        let activity = try await otto.client.get("/v1/activity?action=job.retried").expect(200).json
        #expect(activity["data"]?[0]?["target_id"]?.stringValue == id)
    }

    @Test func `a job is its company's own`() async throws {
        let server = try await TestServer.shared()
        let otto = try await Person.operator(on: server)
        let ada = try await Person(signedUpOn: server, company: "Ada's")
        let id = try await begun(otto, seconds: 600)
        for answer in [
            try await ada.client.get("/v1/jobs/\(id)"), try await ada.client.get("/v1/jobs/\(id)/stream"),
            try await ada.client.post("/v1/jobs/\(id)/cancel"),
            try await ada.client.post("/v1/jobs/\(id)/retry"),
        ] { #expect(answer.status == 404, "\(answer)") }
        let changed = try await ada.client.post("/v1/jobs/cancel").expect(200).json
        #expect(changed["changed"]?.intValue == 0)
        #expect(try await ada.client.get("/v1/jobs").expect(200).json["data"]?.arrayValue == [])
        let viewer = try await otto.colleague(.viewer)
        try await viewer.client.get("/v1/jobs").expect(403)
        try await ada.client.get("/v1/system/jobs").expect(403)
        let cancelled = try await otto.client.post("/v1/jobs/cancel", ["queue": "rehearsals"]).expect(200)
            .json
        #expect(cancelled["changed"]?.intValue == 1)
        _ = try await wait(otto, id, until: "cancelled")
    }

    @Test func `one unfinished rehearsal of a key is enough`() async throws {
        let server = try await TestServer.shared()
        let otto = try await Person.operator(on: server)
        try await rehearse(otto, seconds: 600, key: "only").expect(202)
        #expect(try await rehearse(otto, seconds: 600, key: "only").status == 409)
        try await otto.client.post("/v1/jobs/cancel").expect(200)
    }

    @Test func `a queue is paused and goes on, a schedule runs when told to`() async throws {
        let server = try await TestServer()
        let otto = try await Person.operator(on: server)
        let queues = try await otto.client.get("/v1/job-queues").expect(200).json
        let before = try #require(
            queues["data"]?.arrayValue?.first { $0["name"]?.stringValue == "rehearsals" })
        #expect(before["is_paused"]?.boolValue == false && before["concurrency"]?.intValue == 20)
        let paused = try await otto.client.with(header: "If-Match", "\"1\"")
            .patch("/v1/job-queues/rehearsals", ["is_paused": true, "concurrency": 3]).expect(200).json
        #expect(paused["is_paused"]?.boolValue == true && paused["concurrency"]?.intValue == 3)
        try await otto.client.with(header: "If-Match", "\"1\"")
            .patch("/v1/job-queues/rehearsals", ["is_paused": false]).expect(412)
        try await otto.client.patch("/v1/job-queues/no-such-queue", ["is_paused": true]).expect(404)

        let schedules = try await eventually {
            let all = try await otto.client.get("/v1/cron").expect(200).json["data"]?.arrayValue ?? []
            return all.isEmpty ? nil : all
        }
        let hourly = try #require(schedules.first { $0["name"]?.stringValue == "jobs-rehearsal" })
        #expect(hourly["next_at"]?.stringValue?.contains(":07:00") == true)
        let id = try await otto.client.post("/v1/cron/jobs-rehearsal/run").expect(202).json.text("job_id")
        #expect(try await otto.client.post("/v1/cron/jobs-rehearsal/run").status == 409)
        try await otto.client.patch("/v1/cron/jobs-rehearsal", ["is_paused": true]).expect(200)
        try await otto.client.get("/v1/cron/jobs-rehearsal/runs").expect(200)
        try await otto.client.get("/v1/cron/no-such/runs").expect(404)

        try await otto.client.patch("/v1/job-queues/rehearsals", ["is_paused": false, "concurrency": nil])
            .expect(200)
        _ = try await eventually {
            let job = try await otto.client.get("/v1/system/jobs/\(id)").expect(200).json
            return job["state"]?.stringValue == "done" ? job : JSON?.none
        }
        let metrics = try await server.client.get("/metrics").text
        #expect(metrics.contains(#"jobs_finished_total{kind="jobs.rehearse",outcome="done"}"#), "\(metrics)")
        await server.stop()
    }
}
