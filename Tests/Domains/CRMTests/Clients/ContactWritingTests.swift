import Core
import Postgres
import TestSupport
import Testing
import Wire

@testable import CRM

/// What the other parts of the domain build on.
@Suite struct ContactWritingTests {
    private struct Place {
        let database: Database
        let company: UUID

        init() async throws {
            let world = try await World("Writers")
            company = try #require(world.owner.companyId.flatMap { UUID($0) })
            database = world.server.instance.database
        }

        func transaction<Value: Sendable>(_ body: @Sendable (Transaction) async throws -> Value) async throws
            -> Value
        {
            try await database.transaction(as: Tenant(company: company)) { tx in try await body(tx) }
        }

        func count(_ table: String) async throws -> Int {
            try await database.query(
                "SELECT count(*) FROM \(unescaped: table) WHERE company_id = \(company)",
                as: Tenant(company: company))[0]
                .get(0)
        }
    }

    private func draft(_ name: String, emails: [String] = [], phones: [String] = []) -> ContactWriting.Draft {
        var draft = ContactWriting.Draft()
        draft.name = name
        draft.emails = emails
        draft.phones = phones
        return draft
    }

    @Test func `numbers are known however they are written`() {
        #expect(Identity(.phone, "+49 (0)30 901820")?.norm == "+4930901820")
        #expect(Identity(.phone, "0049 30/90 18-20")?.norm == "+4930901820")
        #expect(Identity(.phone, "030 901820")?.norm == "030901820")
        #expect(Identity(.phone, "call me") == nil && Identity(.phone, "12") == nil)
        #expect(Identity(.email, " Anna@Example.COM ")?.norm == "anna@example.com")
        #expect(ClientDomain(website: "https://www.Northwind.example/about?x=1")?.text == "northwind.example")
        #expect(
            ClientDomain(email: "anna@gmail.com") == nil
                && ClientDomain(email: "a@northwind.example")?.text == "northwind.example")
    }

    @Test func `sixty-four who look for one person find one`() async throws {
        let place = try await Place()
        let finds = try await withThrowingTaskGroup(of: (UUID, Bool).self) { group in
            for index in 0..<64 {
                let draft = draft(
                    "Anna Berg", emails: ["anna@berg.example"],
                    phones: index.isMultiple(of: 2) ? ["+4930901820"] : [])
                group.addTask {
                    let found = try await place.transaction { tx in
                        try await ContactWriting.findOrCreate(
                            draft, by: .system, company: place.company, in: tx)
                    }
                    return (found.id, found.isNew)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(finds.map(\.0)).count == 1 && finds.count(where: \.1) == 1)
        #expect(try await place.count("contacts") == 1)
        #expect(try await place.count("contact_identities") == 2)
    }

    @Test func `who is known is filled and never overwritten`() async throws {
        let place = try await Place()
        let first = draft("Anna Berg", emails: ["anna@berg.example"])
        var second = draft("Somebody Else", emails: ["ANNA@berg.example", "a.berg@home.example"])
        second.jobTitle = "Head of purchasing"
        let (known, isNew) = try await place.transaction { [second] tx in
            _ = try await ContactWriting.create([first], by: .system, company: place.company, in: tx)
            let found = try await ContactWriting.findOrCreate(
                second, by: .system, company: place.company, in: tx)
            return (found.id, found.isNew)
        }
        #expect(known == first.id && !isNew)
        let row = try await place.database.query(
            "SELECT name, job_title, email FROM contacts WHERE company_id = \(place.company) AND id = \(known)",
            as: Tenant(company: place.company))[0]
        #expect(try row.get("name") == "Anna Berg" && row.get("job_title") == "Head of purchasing")
        #expect(try row.get("email") == "anna@berg.example")
        #expect(try await place.count("contact_identities") == 2)
    }

    @Test func `a client is found by its host or its name`() async throws {
        let place = try await Place()
        let ids = try await withThrowingTaskGroup(of: UUID.self) { group in
            for index in 0..<32 {
                group.addTask {
                    var draft = ClientWriting.Draft(name: index.isMultiple(of: 2) ? "Northwind" : "northwind")
                    draft.email = index.isMultiple(of: 2) ? "anna@northwind.example" : String?.none
                    let wanted = draft
                    return try await place.transaction { tx in
                        try await ClientWriting.findOrCreate(
                            wanted, by: .system, company: place.company, in: tx
                        ).id
                    }
                }
            }
            return try await group.reduce(into: Set<UUID>()) { $0.insert($1) }
        }
        #expect(ids.count == 1)
    }

    @Test func `every key to contacts and clients is in the catalogue of merges`() async throws {
        let place = try await Place()
        for kind in [CRMRecord.contact, .client] {
            let rows = try await place.database.query(
                """
                SELECT c.conrelid::regclass::text || '.' || a.attname AS name
                  FROM pg_constraint c
                  JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey) AND a.attname <> 'company_id'
                 WHERE c.contype = 'f' AND c.confrelid = \(kind.table)::text::regclass
                """)
            let there = Set(try rows.map { try $0.get("name", as: String.self) })
            let listed = Set(MergeCatalogue.references(to: kind).filter { $0.only == nil }.map(\.name))
            #expect(there.subtracting(listed) == [], "not in MergeCatalogue: add how it is moved")
            #expect(listed.subtracting(there) == [], "in MergeCatalogue, but no foreign key")
        }
    }
}
