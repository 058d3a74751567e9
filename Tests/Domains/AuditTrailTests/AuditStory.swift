import App
import Core
import Glibc
import Postgres
import TestCluster
import TestSupport
import Testing
import Wire

@testable import AuditTrail

@Suite struct AuditStory {
    /// Somebody with a company in which a team was made, changed and deleted, all of it sealed.
    private func owner(on server: TestServer) async throws -> Person {
        let owner = try await Person(signedUpOn: server, company: "Audited")
        let team = try await owner.client.post("/v1/teams", ["name": "Launch"]).expect(201).json.text("id")
        try await owner.client.patch("/v1/teams/\(team)", ["name": "Lift-off"]).expect(200)
        try await owner.client.delete("/v1/teams/\(team)").expect(204)
        try await sealed(owner)
        return owner
    }

    /// The verdict on the chain once nothing waits.
    @discardableResult
    private func sealed(_ person: Person) async throws -> JSON {
        try await eventually {
            let verdict = try await person.client.get("/v1/audit-events/verify").expect(200).json
            #expect(verdict["is_whole"] == true, "\(verdict)")
            // A bare nil would be a JSON null here.
            return verdict["unsealed_events"]?.intValue == 0 ? verdict : JSON?.none
        }
    }

    private func list(_ person: Person, _ query: String) async throws -> [JSON] {
        try await person.client.get("/v1/audit-events?\(query)").expect(200).json["data"]?.arrayValue ?? []
    }

    @Test func `each change is found by who did what to what, when and from where`() async throws {
        let owner = try await owner(on: .shared())
        let teams = try await list(owner, "q=action:team.*")
        #expect(teams.map { $0["action"]?.stringValue } == ["team.deleted", "team.changed", "team.created"])
        let changed = teams[1]
        #expect(changed["before"] == ["name": "Launch"])
        #expect(changed["after"]?["name"] == "Lift-off")
        #expect(changed["actor_name"]?.stringValue == owner.name)
        let target = try changed.text("target_id")
        let found = [
            "action=team.*", "q=target:team", "target_id=\(target)", "q=target:team:\(target)",
            "target_type=team",
            "q=actor:\(owner.email)%20action:team.*",
            "actor_id=\(owner.userId)&action=team.created,team.changed,team.deleted",
            "q=actor:%22ada%20love%22%20target:team", "q=team", "address=127.0.0.1&target_type=team",
            "q=-action:company.*%20target:team", "q=from:2020-01-01%20to:2100-01-01%20action:team.*",
        ]
        for query in found { #expect(try await list(owner, query).count == 3, "\(query)") }
        for query in [
            "q=actor:api_key", "q=action:team.*%20-target:team", "q=to:2020-01-01", "action=team_%25*",
        ] {
            #expect(try await list(owner, query).isEmpty, "\(query)")
        }
        let request = try changed.text("request_id")
        #expect(try await list(owner, "q=request:\(request)").count == 1)
        let refused = try await owner.client.get("/v1/audit-events?q=colour:red").expect(422)
        #expect(refused.json["errors"]?[0]?["detail"]?.stringValue?.contains("is no key") == true)
    }

    @Test func `one change can be checked with nothing but sha-256`() async throws {
        let owner = try await owner(on: .shared())
        let id = try await list(owner, "action=team.created")[0].text("id")
        let event = try await owner.client.get("/v1/audit-events/\(id)").expect(200).json
        let previous = try #require(Hex.decode(event.text("prev_hash")))
        #expect(
            Hex.encode(AuditChain.hash(previous, try event.text("canonical"))) == (try event.text("hash")))
    }

    @Test func `another company's record does not exist`() async throws {
        let server = try await TestServer.shared()
        let owner = try await owner(on: server)
        let stranger = try await Person(signedUpOn: server, company: "Strangers")
        let id = try await list(owner, "action=team.created")[0].text("id")
        try await stranger.client.get("/v1/audit-events/\(id)").expect(404)
        #expect(try await list(stranger, "target_type=team").isEmpty)
        let member = try await owner.colleague(.member)
        try await member.client.get("/v1/audit-events").expect(403)
    }

    @Test func `an outsider verifies an export, and finds what was altered in it`() async throws {
        let owner = try await owner(on: .shared())
        let head = try await sealed(owner)
        let file = try await owner.client.get("/v1/audit-events.ndjson").expect(200)
        let seal = "\(head["head_seq"]?.intValue ?? 0):\(try head.text("head_hash"))"
        #expect(try script(file.body, "--known", seal).contains("are as they were sealed"))
        let altered = String(decoding: file.body, as: UTF8.self).replacing("Lift-off", with: "Lift-on!")
        #expect(try script(Array(altered.utf8)).contains("is not what was sealed"))
        let shortened = file.body.split(separator: UInt8(ascii: "\n")).dropFirst(2).joined(separator: [10])
        #expect(try script(Array(shortened)).contains("with 1 gaps"))

        let table = try await owner.client.get("/v1/audit-events.csv?q=action:team.*").expect(200)
        let lines = String(decoding: table.body, as: UTF8.self).split(separator: "\r\n")
        #expect(lines.count == 4)
        #expect(lines[0].hasPrefix("seq,at,actor_kind"))
        #expect(try await list(owner, "action=audit.exported").count == 2)
        let all = try await owner.client.get("/v1/audit-events.ndjson?action=,,").expect(200)
        #expect(String(decoding: all.body, as: UTF8.self).contains("team.created"))
    }

    /// What scripts/verify-audit.py says of a file.
    private func script(_ bytes: [UInt8], _ arguments: String...) throws -> String {
        let here = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        let file = "/tmp/infinity-\(UUID.v7()).ndjson"
        defer { unlink(file) }
        let out = try #require(fopen(file, "w"))
        fwrite(bytes, 1, bytes.count, out)
        fclose(out)
        let line = (["python3", "/\(here)/scripts/verify-audit.py", file] + arguments).joined(separator: " ")
        return try ChildProcess.run(["sh", "-c", "\(line) 2>&1 || true"])
    }
}
