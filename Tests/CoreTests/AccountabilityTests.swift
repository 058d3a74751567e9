import Postgres
import Testing
import Wire

@testable import Core

@Suite struct AccountabilityTests {
    private let company = UUID.v7()

    private func record(_ ground: CoreGround) async throws {
        try await ground.database.transaction(as: Tenant(company: company)) { tx in
            try await Audit.record(
                Audit.Entry("team.created", on: "team", UUID.v7(), after: ["name": "Launch"]),
                by: Audit.Actor(.user, id: UUID.v7(), address: "203.0.113.7", requestId: "r1"),
                company: company, in: tx)
        }
    }

    @Test func `the program can add to the record, but neither change it nor take from it`() async throws {
        let ground = try await CoreGround()
        try await record(ground)
        for sql in ["UPDATE audit_log SET action = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log"] {
            let error = await #expect(throws: DatabaseError.self) {
                try await ground.database.query("\(unescaped: sql)", as: Tenant(company: company))
            }
            #expect(error?.sqlState == "42501")
        }
        #expect(try await ground.count("SELECT count(*) FROM audit_log", as: Tenant(company: company)) == 1)
    }

    @Test func `another company's record does not exist`() async throws {
        let ground = try await CoreGround()
        try await record(ground)
        #expect(try await ground.count("SELECT count(*) FROM audit_log", as: Tenant(company: UUID.v7())) == 0)
        #expect(try await ground.count("SELECT count(*) FROM audit_log") == 0)
    }

    @Test func `only what changed is recorded`() {
        let (before, after) = Audit.changed(["a": 1, "b": 2], ["a": 1, "b": 3, "c": nil])
        #expect(before == ["b": 2])
        #expect(after == ["b": 3])
    }

    @Test func `a change of rights that commits late is heard all the same`() async throws {
        let ground = try await CoreGround()
        let (early, late) = (UUID.v7(), UUID.v7())
        let mark = try await AccessChange.since(nil, ground.database).mark
        // The late one takes its number first and commits last: a reader that goes by numbers would pass it over.
        let heard = try await ground.database.transaction { tx in
            try await AccessChange.record(user: late, company: nil, in: tx)
            try await ground.database.transaction {
                try await AccessChange.record(user: early, company: nil, in: $0)
            }
            return try await AccessChange.since(mark, ground.database)
        }
        #expect(heard.changes.contains(AccessChange(user: early, company: nil)))
        #expect(!heard.changes.contains(AccessChange(user: late, company: nil)))
        let then = try await AccessChange.since(heard.mark, ground.database)
        #expect(then.changes.contains(AccessChange(user: late, company: nil)))
        // Transactions of others in the cluster may hold the mark back for a while; then there is quiet.
        var last = then.mark
        try await eventually("nothing is told for ever") {
            let quiet = try await AccessChange.since(last, ground.database)
            last = quiet.mark
            return quiet.changes.isEmpty
        }
    }

    @Test func `the notification says whose rights changed`() async throws {
        let (user, company) = (UUID.v7(), UUID.v7())
        #expect(AccessChange(payload: "\(user)|\(company)") == AccessChange(user: user, company: company))
        #expect(AccessChange(payload: "|\(company)") == AccessChange(user: nil, company: company))
        #expect(AccessChange(payload: "|") == nil)
        #expect(AccessChange(payload: "nonsense") == nil)
    }
}
