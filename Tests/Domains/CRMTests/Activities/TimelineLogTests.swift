import Core
import Postgres
import TestSupport
import Testing
import Wire

@testable import CRM

/// What other parts of the domain tell the timeline.
@Suite struct TimelineLogTests {
    private func company(_ world: World) throws -> UUID {
        try #require(world.owner.companyId.flatMap { UUID($0) })
    }

    @inline(never)
    private func contact(_ name: String, _ email: String, _ company: UUID, _ tx: Transaction) async throws
        -> UUID
    {
        let id = UUID.v7()
        _ = try await tx.batch([
            "INSERT INTO contacts (company_id, id, name, email) VALUES (\(company), \(id), \(name), \(email))",
            """
            INSERT INTO contact_identities (company_id, id, contact_id, kind, value, value_norm, is_primary)
            VALUES (\(company), \(UUID.v7()), \(id), 'email', \(email), lower(\(email)), true)
            """,
        ])
        return id
    }

    @inline(never)
    private func count(_ what: SQL, _ tx: Transaction) async throws -> Int {
        let rows = try await tx.query("SELECT count(*) AS count FROM \(fragment: what)")
        return try rows[0].get("count")
    }

    @Test func `what is logged twice under one id of its source is there once`() async throws {
        let world = try await World("Log Works")
        let company = try company(world)
        try await world.server.instance.database.transaction(as: Tenant(company: company)) { tx in
            let anna = try await contact("Anna", "anna@log.example", company, tx)
            for expected in [true, false] {
                var entry = Timeline.Entry(.email, "Offer", on: .of(.contact, anna))
                (entry.source, entry.externalId, entry.direction) = ("imap", "<1@log.example>", .in)
                let isNew = try await Timeline.log(entry, by: .system, company: company, in: tx)
                #expect(isNew == expected)
            }
            let activities = try await count("activities WHERE company_id = \(company)", tx)
            let links = try await count(
                "activity_links WHERE company_id = \(company) AND contact_id = \(anna)", tx)
            let events = try await count(
                "outbox WHERE company_id = \(company) AND type = 'activity.logged'", tx)
            #expect([activities, links, events] == [1, 1, 1])
        }
    }

    @Test func `forgetting a person takes what is about nobody else, and blanks what is about others too`()
        async throws
    {
        let world = try await World("Forget Works")
        let company = try company(world)
        try await world.server.instance.database.transaction(as: Tenant(company: company)) { tx in
            let anna = try await contact("Anna", "anna@forget.example", company, tx)
            let bert = try await contact("Bert", "bert@forget.example", company, tx)
            let (alone, shared, other) = (UUID.v7(), UUID.v7(), UUID.v7())
            var letter = Timeline.Entry(.email, "Anna wrote", on: .of(.contact, bert), id: other)
            (letter.from, letter.body) = ("anna@forget.example", "Hello Bert")
            for entry in [
                Timeline.Entry(.note, "Anna likes tea", on: .of(.contact, anna), id: alone),
                Timeline.Entry(
                    .meeting, "Anna met Bert", on: ActivityRecords(contacts: [anna, bert]), id: shared),
                letter,
            ] { try await Timeline.log(entry, by: .system, company: company, in: tx) }
            _ = try await tx.batch(ActivitiesErasure.erase(contacts: [anna], company: company))
            let left = try await tx.query(
                "SELECT id, title, from_address FROM activities WHERE company_id = \(company) ORDER BY id")
            #expect(try left.map { try $0.get("id", as: UUID.self) } == [shared, other])
            #expect(try left.map { try $0.get("title", as: String.self) } == ["Erased", "Anna wrote"])
            #expect(try left[1].get("from_address", as: String?.self) == nil)
            let words = try await count("search_uses WHERE company_id = \(company) AND word LIKE 'tea%'", tx)
            #expect(words == 0)
        }
    }
}
