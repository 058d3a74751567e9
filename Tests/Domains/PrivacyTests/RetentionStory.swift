import App
import AuditTrail
import Core
import Postgres
import TestSupport
import Testing
import Wire

@testable import Privacy

@Suite struct RetentionStory {
    private let owner: Person
    private let server: TestServer
    private let company: UUID

    init() async throws {
        server = try await TestServer.shared()
        owner = try await Person(signedUpOn: server, company: "Keeps Order")
        company = try #require(owner.companyId.flatMap { UUID($0) })
    }

    /// As the owner of the tables, which the serving role is not.
    private var tables: OwnerDatabase {
        var configuration = DatabaseConfiguration(url: server.database.url)
        configuration.role = nil
        return OwnerDatabase(Database(configuration, loops: server.instance.loops))
    }

    private func sealed() async throws -> JSON {
        try await eventually {
            let verdict = try await owner.client.get("/v1/audit-events/verify").expect(200).json
            return verdict["unsealed_events"] == 0 ? verdict : JSON?.none
        }
    }

    /// Makes the changes so far as old as they would be after `days`; the seals are made after it.
    private func age(_ days: Int) throws {
        _ = try server.database.psql(
            "UPDATE audit_log SET at = at - interval '\(days) days' WHERE company_id = '\(company)'")
    }

    @Test func `a company chooses within bounds, is shown what that would delete, and goes back`()
        async throws
    {
        let list =
            try await owner.client.get("/v1/retention-policies").expect(200).json["data"]?.arrayValue ?? []
        #expect(list.contains { $0["name"] == "audit" && $0["days"] == 730 && $0["is_adjustable"] == true })
        #expect(list.contains { $0["name"] == "sessions" && $0["is_adjustable"] == false })
        try await owner.client.put("/v1/retention-policies/audit", ["days": 400]).expect(200)
        #expect(
            try await owner.client.put("/v1/retention-policies/audit", ["days": 5]).code
                == "retention-not-adjustable")
        #expect(
            try await owner.client.put("/v1/retention-policies/sessions", ["days": 50]).code
                == "retention-not-adjustable")
        #expect(
            try await owner.client.put("/v1/retention-policies/dust", ["days": 50]).code
                == "unknown-retention-class")
        try age(100)
        let due = try await owner.client.get("/v1/retention-policies/due?name=audit&days=90").expect(200)
            .json["data"]?[0]
        #expect((due?["rows"]?.intValue ?? 0) > 0)
        let now = try await owner.client.get("/v1/retention-policies/due?name=audit").expect(200).json[
            "data"]?[0]
        #expect(now?["rows"] == 0 && now?["days"] == 400)
        try await owner.client.delete("/v1/retention-policies/audit").expect(204)
        let acts = try await owner.client.get("/v1/audit-events?action=retention.changed").expect(200).json[
            "data"]
        #expect(acts?.arrayValue?.count == 2)
    }

    @Test func `what is old goes, the chain still verifies, and a hold keeps everything`() async throws {
        _ = try await sealed()
        let before = try await sealed()
        // Past the program: the ages are part of what was sealed, so the chain of the old part is cut, not checked.
        try age(800)
        try await owner.client.post("/v1/teams", ["name": "Fresh"]).expect(201)
        _ = try await sealed()
        let hold = try await owner.client.post("/v1/legal-holds", ["reason": "A dispute"]).expect(201).json
            .text("id")
        let classes = Instance.domains.flatMap { $0.retention }
        try await RetentionSweep.sweep(company, classes, server.instance.database, owner: tables)
        #expect(try await sealed()["cut_before_seq"] == .null)

        try await owner.client.delete("/v1/legal-holds/\(hold)").expect(204)
        _ = try await sealed()
        try await RetentionSweep.sweep(company, classes, server.instance.database, owner: tables)
        let after = try await sealed()
        #expect(after["is_whole"] == true, "\(after)")
        #expect(after["cut_before_seq"]?.intValue == (before["head_seq"]?.intValue ?? 0) + 1)
        let cut = try await owner.client.get("/v1/audit-events?action=audit.cut").expect(200).json["data"]?[0]
        #expect(cut?["after"]?["last_hash"] == before["head_hash"])
        try await owner.client.delete("/v1/legal-holds/\(hold)").expect(404)
    }

    @Test func `consent is proven by decisions that nobody changes`() async throws {
        let email = Person.freshAddress()
        func record(_ decision: String) async throws {
            try await owner.client.post(
                "/v1/consents",
                [
                    "email": .string(email), "purpose": "newsletter", "text_version": "2026-11",
                    "decision": .string(decision), "source": "sign-up form", "address": "203.0.113.9",
                ]
            ).expect(201)
        }
        func standing() async throws -> JSON? {
            try await owner.client.get("/v1/consents/standing?email=\(email.uppercased())").expect(200).json[
                "data"]?[0]
        }
        try await record("given")
        #expect(try await standing()?["is_given"] == true)
        try await record("withdrawn")
        #expect(try await standing()?["is_given"] == false)
        let all = try await owner.client.get("/v1/consents?email=\(email)&purpose=newsletter").expect(200)
            .json["data"]
        #expect(all?.arrayValue?.count == 2)
        let error = await #expect(throws: DatabaseError.self) {
            try await server.instance.database.query(
                "UPDATE consents SET decision = 'given'", as: Tenant(company: company))
        }
        #expect(error?.sqlState == "42501")
        try await owner.client.post(
            "/v1/consents", ["purpose": "x", "text_version": "1", "decision": "given", "source": "y"]
        ).expect(422)
        let future = try await owner.client.post(
            "/v1/consents",
            [
                "email": .string(email), "purpose": "calls", "text_version": "1", "decision": "given",
                "source": "y",
                "at": "2099-01-01T00:00:00Z",
            ])
        #expect(future.code == "consent-in-the-future")
    }
}
