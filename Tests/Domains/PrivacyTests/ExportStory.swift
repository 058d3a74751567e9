import App
import Core
import Glibc
import Postgres
import TestCluster
import TestSupport
import Testing
import Wire

@testable import Privacy

@Suite struct ExportStory {
    /// Asks for a copy and gives the archive's files once it is made.
    private func export(_ person: Person, _ body: JSON, on server: TestServer) async throws -> (
        id: String, files: [String: JSON]
    ) {
        let id = try await person.client.post("/v1/privacy/exports", body).expect(202).json.text("id")
        _ = try await eventually(within: .seconds(30)) {
            let state = try await person.client.get("/v1/privacy/exports/\(id)").expect(200).json["state"]
            #expect(state != "failed")
            return state == "done" ? true : nil
        }
        return (id, try unpack(await download(id, person, server).expect(200).body))
    }

    private func download(_ id: String, _ person: Person, _ server: TestServer) async throws -> Answer {
        let link = try await person.client.post("/v1/privacy/exports/\(id)/download-url").expect(200).json
            .text("url")
        let path = String(link[link.range(of: "/v1/")!.lowerBound...])
        return try await server.client.get(path)
    }

    private func unpack(_ bytes: [UInt8]) throws -> [String: JSON] {
        let file = "/tmp/infinity-\(UUID.v7()).zip"
        defer { unlink(file) }
        let out = try #require(fopen(file, "w"))
        fwrite(bytes, 1, bytes.count, out)
        fclose(out)
        let script =
            "import zipfile,sys,json;z=zipfile.ZipFile(sys.argv[1]);assert z.testzip() is None;"
            + "print(json.dumps({n:json.loads(z.read(n)) for n in z.namelist()}))"
        let text = try ChildProcess.run(["python3", "-c", script, file])
        var files: [String: JSON] = [:]
        for (name, content) in try JSON.parse(Array(text.utf8)).objectValue?.members ?? [] {
            files[name] = content
        }
        return files
    }

    @Test func `a person takes away all that is known about her, in every company, and no secret`()
        async throws
    {
        let server = try await TestServer.shared()
        let owner = try await Person(signedUpOn: server, company: "Hers")
        let person = try await owner.colleague(.manager, name: "Mary Shelley")
        let team = try await person.client.post("/v1/teams", ["name": "Monsters"]).expect(201).json.text("id")
        let files = try await export(person, ["subject": "me"], on: server).files
        let me = try #require(files["users.json"]?[0])
        #expect(me["name"] == "Mary Shelley" && me["email"]?.stringValue == person.email)
        #expect(me["password_hash"] == nil)
        #expect(files["sessions.json"]?.arrayValue?.isEmpty == false)
        let company = try #require(owner.companyId)
        #expect(files["companies/\(company)/memberships.json"]?.arrayValue?.count == 1)
        let acts = files["companies/\(company)/audit_log.json"]?.arrayValue ?? []
        #expect(acts.contains { $0["target_id"]?.stringValue == team })
        let told = files["manifest.json"]?["files"]?.arrayValue?.compactMap { $0["file"]?.stringValue } ?? []
        #expect(Set(told).union(["manifest.json"]) == Set(files.keys))
        for (name, content) in files {
            #expect(!content.description.contains(owner.email), "\(name) tells of somebody else")
        }
    }

    @Test func `a company takes away everything it has, and nothing of another's`() async throws {
        let server = try await TestServer.shared()
        let owner = try await Person(signedUpOn: server, company: "Whole of It")
        for n in 1...7 {
            try await owner.client.post("/v1/teams", ["name": .string("Team \(n)")]).expect(201)
        }
        let member = try await owner.colleague(.member)
        try await member.client.post("/v1/privacy/exports", ["subject": "company"]).expect(403)
        let (id, files) = try await export(owner, ["subject": "company"], on: server)
        #expect(files["teams.json"]?.arrayValue?.count == 7)
        #expect(files["companies.json"]?[0]?["name"] == "Whole of It")
        #expect(files["people.json"]?.arrayValue?.count == 2)
        let company = try #require(owner.companyId)
        for (name, content) in files where name != "manifest.json" && name != "people.json" {
            for row in content.arrayValue ?? [] {
                #expect((row["company_id"] ?? row["id"])?.stringValue == company, "\(name)")
            }
        }
        let other = try await Person(signedUpOn: server, company: "Strangers")
        try await other.client.get("/v1/privacy/exports/\(id)").expect(404)
        try await member.client.get("/v1/privacy/exports/\(id)").expect(404)
        let acts = try await owner.client.get("/v1/audit-events?action=privacy.*").expect(200).json["data"]?
            .arrayValue
        #expect(
            acts?.compactMap { $0["action"]?.stringValue } == [
                "privacy.export_opened", "privacy.export_asked",
            ])
    }

    @Test func `a copy is taken away when its week is over, and its link opens nothing`() async throws {
        let server = try await TestServer.shared()
        let person = try await Person.withoutCompany(on: server)
        let (id, files) = try await export(person, ["subject": "me"], on: server)
        #expect(files["users.json"]?.arrayValue?.count == 1)
        let link = try await person.client.post("/v1/privacy/exports/\(id)/download-url").expect(200).json
            .text("url")
        let path = String(link[link.range(of: "/v1/")!.lowerBound...])
        try await server.client.get(path).expect(200)
        #expect(try await server.client.get(path + "x").code == "export-link-invalid")
        _ = try server.database.psql("UPDATE privacy_requests SET expires_at = now() WHERE id = '\(id)'")
        _ = try await Exporting.expire(server.instance.database, server.instance.environment[Vault.self])
        #expect(
            try await person.client.get("/v1/privacy/exports/\(id)").expect(200).json["state"] == "expired")
        #expect(
            try await person.client.post("/v1/privacy/exports/\(id)/download-url").code == "export-not-ready")
        #expect(try await server.client.get(path).code == "export-link-invalid")
    }

    @Test func `nobody takes a copy away with a stolen session alone`() async throws {
        let server = try await TestServer.shared()
        let person = try await Person.withoutCompany(on: server)
        _ = try server.database.psql(
            "UPDATE sessions SET authenticated_at = now() - interval '1 hour' WHERE user_id = '\(person.userId)'"
        )
        let refused = try await person.client.post("/v1/privacy/exports", ["subject": "me"]).expect(403)
        #expect(refused.code == "reauthentication-required")
    }
}
