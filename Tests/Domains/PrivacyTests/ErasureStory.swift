import App
import Core
import Postgres
import TestSupport
import Testing
import Wire

@testable import Privacy

@Suite struct ErasureStory {
    /// No time to think again: what is confirmed begins at once.
    private static let made = Task { try await TestServer(["INFINITY_ERASURE_GRACE_DAYS": "0"]) }

    private func server() async throws -> TestServer { try await Self.made.value }

    private func plan(_ person: Person, _ body: JSON = ["subject": "me", "block_sign_up": true]) async throws
        -> JSON
    {
        try await person.client.post("/v1/privacy/erasures", body).expect(201).json
    }

    @Test func `somebody is forgotten, table by table, and the report says what stayed and why`() async throws
    {
        let server = try await server()
        let owner = try await Person(signedUpOn: server, company: "Keeps On")
        let person = try await owner.colleague(.manager, name: "Mary Shelley")
        try await person.client.post("/v1/teams", ["name": "Monsters"]).expect(201)
        let plan = try await plan(person)
        let planned = try #require(plan["plan"]?.arrayValue)
        #expect(planned.contains { $0["table"] == "sessions" && $0["action"] == "delete" })
        #expect(
            planned.contains { $0["table"] == "audit_log" && $0["action"] == "keep" && $0["reason"] != .null }
        )
        // A plan changes nothing.
        try await person.client.get("/v1/auth/me").expect(200)

        let id = try plan.text("id")
        let confirmed = try await person.client.post("/v1/privacy/erasures/\(id)/confirm").expect(200).json
        let receipt = try confirmed.text("receipt")
        _ = try await eventually { try await person.client.get("/v1/auth/me").status == 401 ? true : nil }
        let proof = try await eventually {
            let answer = try await server.client.post("/v1/privacy/receipts", ["receipt": .string(receipt)])
            return answer.status == 200 ? answer.json : JSON?.none
        }
        let report = try #require(proof["report"])
        let tables = try #require(report["tables"]?.arrayValue)
        #expect(tables.contains { $0["action"] == "identity" })
        #expect(
            tables.contains { $0["table"] == "memberships" && $0["action"] == "blank" && $0["rows"] == 1 })
        // What went with the identity is told as well.
        for row in planned where row["action"] == "delete" {
            #expect(tables.contains { $0["table"] == row["table"] && $0["action"] == "delete" }, "\(row)")
        }
        #expect(tables.contains { $0["table"] == "known_devices" && $0["rows"] == 1 })
        #expect(report["backups"]?.stringValue?.contains("30 days") == true)
        #expect(report["sign_up_is_blocked"] == true)

        // Nobody finds her any more, in any table.
        for text in ["Mary Shelley", person.email] {
            for table in ["users", "sessions", "signups", "invitations", "memberships", "privacy_requests"] {
                let found = try server.database.psql(
                    "SELECT count(*) FROM \(table) t WHERE t::text LIKE '%\(text)%'")
                #expect(found == "0\n", "\(text) is still in \(table)")
            }
            // Her own mails are gone, but for the one that says so.
            let mails = try server.database.psql(
                "SELECT string_agg(template, ',') FROM mail_queue WHERE to_address = '\(person.email)'")
            #expect(mails == "account-deleted\n")
        }
        let entry = try await owner.client.get("/v1/audit-events?action=privacy.erased").expect(200).json[
            "data"]?[0]
        #expect(entry?["after"]?["report_sha256"] == proof["sha256"])
        // The address makes no account again, and nobody is told.
        try await server.client.post(
            "/v1/auth/signup",
            ["email": .string(person.email), "password": .string(Person.password), "name": "Again"]
        ).expect(202)
        #expect(
            try server.database.psql("SELECT count(*) FROM signups WHERE email_norm = '\(person.email)'")
                == "0\n")
    }

    @Test func `the last owner is asked to hand over first`() async throws {
        let server = try await server()
        let owner = try await Person(signedUpOn: server, company: "Only Mine")
        let id = try await plan(owner).text("id")
        try await owner.client.post("/v1/privacy/erasures/\(id)/confirm").expect(200)
        let blocked = try await eventually {
            let request = try await owner.client.get("/v1/privacy/erasures/\(id)").expect(200).json
            return request["state"] == "blocked" ? request : JSON?.none
        }
        #expect(blocked["error"]?.stringValue?.contains("Only Mine") == true)
        #expect(try await owner.client.get("/v1/privacy/erasures/\(id)/report").code == "report-not-ready")
        // Once the company is on its way out, the same request goes through.
        let company = try #require(owner.companyId)
        let slug = try await owner.client.get("/v1/companies/\(company)").expect(200).json.text("slug")
        try await owner.client.post("/v1/companies/\(company)/deletion", ["confirm_slug": .string(slug)])
            .expect(200)
        let token = try await Person(signingInOn: server, email: owner.email)
        let receipt = try await token.client.post("/v1/privacy/erasures/\(id)/confirm").expect(200).json.text(
            "receipt")
        _ = try await eventually {
            try await server.client.post("/v1/privacy/receipts", ["receipt": .string(receipt)]).status == 200
                ? true : nil
        }
    }

    @Test func `a company forgets whom it knows by an address alone`() async throws {
        let server = try await server()
        let owner = try await Person(signedUpOn: server, company: "Inviters")
        let other = try await Person(signedUpOn: server, company: "Others")
        let guest = Person.freshAddress()
        let roles = [JSON.string(try await owner.roleId(.viewer))]
        try await owner.client.post("/v1/invitations", ["email": .string(guest), "role_ids": .array(roles)])
            .expect(201)
        let others = [JSON.string(try await other.roleId(.viewer))]
        try await other.client.post("/v1/invitations", ["email": .string(guest), "role_ids": .array(others)])
            .expect(201)
        let body: JSON = ["subject": "person", "email": .string(guest), "reason": "Asked by letter"]
        let member = try await owner.colleague(.member)
        try await member.client.post("/v1/privacy/erasures", body).expect(403)
        let id = try await plan(owner, body).text("id")
        try await other.client.get("/v1/privacy/erasures/\(id)").expect(404)
        try await owner.client.post("/v1/privacy/erasures/\(id)/confirm").expect(200)
        let report = try await eventually {
            let answer = try await owner.client.get("/v1/privacy/erasures/\(id)/report")
            return answer.status == 200 ? answer.json : JSON?.none
        }
        let tables = report["report"]?["tables"]?.arrayValue ?? []
        #expect(
            tables.contains { $0["table"] == "invitations" && $0["action"] == "blank" && $0["rows"] == 1 })
        let left = try server.database.psql("SELECT count(*) FROM invitations WHERE email = '\(guest)'")
        #expect(left == "1\n", "the other company's invitation stays")
    }

    @Test func `an erasure begun and broken off goes on behind its last step`() async throws {
        let server = try await server()
        let owner = try await Person(signedUpOn: server, company: "Broken Off")
        let person = try await owner.colleague(.viewer)
        let id = try await plan(person).text("id")
        // As a worker leaves it that dies after the first steps: they are marked and not done again.
        _ = try server.database.psql(
            """
            INSERT INTO privacy_steps (request_id, n, table_name, action, rows, done_at)
            SELECT '\(id)', n, 'mail_queue', 'delete', 7, now() FROM generate_series(1, 1) n
            """)
        try await person.client.post("/v1/privacy/erasures/\(id)/confirm").expect(200)
        _ = try await eventually {
            let rows = try server.database.psql("SELECT state FROM privacy_requests WHERE id = '\(id)'")
            return rows == "done\n" ? true : nil
        }
        let report = try server.database.psql(
            "SELECT report->'tables' FROM privacy_requests WHERE id = '\(id)'")
        #expect(report.contains("\"rows\": 7"))
    }

    @Test func `within its grace an erasure is called off, and asks for a fresh proof`() async throws {
        let server = try await TestServer.shared()
        let owner = try await Person(signedUpOn: server, company: "Thinks Again")
        let id = try await plan(owner).text("id")
        _ = try server.database.psql(
            "UPDATE sessions SET authenticated_at = now() - interval '1 hour' WHERE user_id = '\(owner.userId)'"
        )
        let refused = try await owner.client.post("/v1/privacy/erasures/\(id)/confirm").expect(403)
        #expect(refused.code == "reauthentication-required")
        let again = try await Person(signingInOn: server, email: owner.email)
        try await again.client.post("/v1/privacy/erasures/\(id)/confirm").expect(200)
        let second = try await plan(again).text("id")
        #expect(
            try await again.client.post("/v1/privacy/erasures/\(second)/confirm").code == "erasure-running")
        let cancelled = try await again.client.post("/v1/privacy/erasures/\(id)/cancel").expect(200).json
        #expect(cancelled["state"] == "cancelled")
        #expect(
            try await again.client.post("/v1/privacy/erasures/\(id)/cancel").code == "erasure-not-cancellable"
        )
        #expect(
            try await again.client.post("/v1/privacy/erasures/\(id)/confirm").code == "erasure-not-planned")
        #expect(
            try await again.client.get("/v1/privacy/erasures").expect(200).json["data"]?.arrayValue?.count
                == 2)
    }
}
