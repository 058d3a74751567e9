import API
import Core
import Postgres
import Wire

/// Postal addresses of clients and contacts.
enum RecordAddresses {
    @RouteList static var routes: [Route] {
        GET(
            "/v1/contacts/{id}/addresses", "List a contact's postal addresses", .can(.crmRead), list(.contact)
        )
        .operation("listContactAddresses").describe("Takes crm:contact-data.").example(answer: example)
        POST("/v1/contacts/{id}/addresses", "Give a contact a postal address", .can(.crmWrite), add(.contact))
            .operation("addContactAddress").describe("Takes crm:contact-data.").problems(.tooManyParts)
            .example(body: body, answer: example)
        DELETE(
            "/v1/contacts/{id}/addresses/{address_id}", "Take a postal address off a contact",
            .can(.crmWrite), remove(.contact)
        )
        .operation("removeContactAddress")
        GET("/v1/clients/{id}/addresses", "List a client's postal addresses", .can(.crmRead), list(.client))
            .operation("listClientAddresses").describe("Takes crm:contact-data.").example(answer: example)
        POST("/v1/clients/{id}/addresses", "Give a client a postal address", .can(.crmWrite), add(.client))
            .operation("addClientAddress").describe("Takes crm:contact-data.").problems(.tooManyParts)
            .example(body: body, answer: example)
        DELETE(
            "/v1/clients/{id}/addresses/{address_id}", "Take a postal address off a client", .can(.crmWrite),
            remove(.client)
        )
        .operation("removeClientAddress")
    }

    private static let body: JSON = [
        "label": "Billing", "street": "Torstraße 1", "postal_code": "10119", "city": "Berlin",
        "country": "DE",
    ]
    private static let example: JSON = [
        "id": .string(ContactEvents.someId.description), "label": "Billing", "street": "Torstraße 1",
        "postal_code": "10119",
        "city": "Berlin", "region": nil, "country": "DE", "created_at": "2026-03-02T09:00:00.000000Z",
    ]

    struct Address: Codable, Sendable {
        let id: UUID
        let label: String?
        let street: String?
        let postalCode: String?
        let city: String?
        let region: String?
        let country: String?
        let createdAt: Timestamp
    }

    struct NewAddress: Codable, Sendable, FieldNotes {
        let label: Text<60>?
        let street: Text<200>?
        let postalCode: Text<20>?
        let city: Text<100>
        let region: Text<100>?
        let country: AddressCountry?

        static let fieldNotes = ["country": "Two capital letters, as in ISO 3166."]
    }

    /// Two capital letters.
    struct AddressCountry: TextValue, SQLBindable {
        let text: String
        init(unchecked text: String) { self.text = text }
        var sqlValue: SQLValue { .text(text) }

        static var rule: TextRule { TextRule(length: 2...2, pattern: "^[A-Z]{2}$") }
        static var exampleText: String { "DE" }
    }

    private static let columns =
        "a.id, a.label, a.street, a.postal_code, a.city, a.region, a.country, a.created_at"

    private static func list(_ kind: CRMRecord) -> @Sendable (Call, Path<UUID>) async throws -> Page<Address>
    {
        { call, id in
            try call.require(.crmContactData)
            try await CRMAccess.require(kind, id.value, call)
            let rows = try await call.db.query(
                """
                SELECT \(unescaped: columns) FROM crm_addresses a
                 WHERE a.company_id = \(try call.company) AND a.\(unescaped: "\(kind.rawValue)_id") = \(id) ORDER BY a.created_at, a.id
                """)
            return Page(all: rows)
        }
    }

    private static func add(_ kind: CRMRecord)
        -> @Sendable (Call, Path<UUID>, Body<NewAddress>) async throws -> Created<Address>
    {
        { call, id, body in
            try call.require(.crmContactData)
            let address = body.value
            let rows = try await call.db.transaction { tx in try await add(address, kind, id.value, call, tx)
            }
            return try Created(rows)
        }
    }

    @inline(never)
    private static func add(
        _ address: NewAddress, _ kind: CRMRecord, _ id: UUID, _ call: Call, _ tx: Transaction
    ) async throws -> Rows {
        let company = try call.company
        let column = "\(kind.rawValue)_id"
        _ = try await RecordLife.locked(kind, id, call, tx)
        let count = try await tx.query(
            "SELECT count(*) FROM crm_addresses WHERE company_id = \(company) AND \(unescaped: column) = \(id)"
        )
        if try count[0].get(0, as: Int.self) >= ContactLimits.partsMax { throw Problem(.tooManyParts) }
        let rows = try await tx.query(
            """
            INSERT INTO crm_addresses AS a (company_id, id, \(unescaped: column), label, street, postal_code, city, region, country)
            VALUES (\(company), \(UUID.v7()), \(id), \(address.label), \(address.street), \(address.postalCode), \(address.city),
                    \(address.region), \(address.country))
            RETURNING \(unescaped: columns)
            """)
        try await note("address-added", kind, id, call, tx)
        return rows
    }

    private static func remove(_ kind: CRMRecord)
        -> @Sendable (Call, Path<UUID>, Path<UUID>) async throws -> NoContent
    {
        { call, id, address in
            try call.require(.crmContactData)
            try await call.db.transaction { tx in try await remove(address.value, kind, id.value, call, tx) }
            return NoContent()
        }
    }

    @inline(never)
    private static func remove(
        _ address: UUID, _ kind: CRMRecord, _ id: UUID, _ call: Call, _ tx: Transaction
    ) async throws {
        _ = try await RecordLife.locked(kind, id, call, tx)
        let rows = try await tx.query(
            """
            DELETE FROM crm_addresses WHERE company_id = \(try call.company) AND id = \(address)
               AND \(unescaped: "\(kind.rawValue)_id") = \(id) RETURNING 1
            """)
        if rows.isEmpty { throw Problem.notFound }
        try await note("address-removed", kind, id, call, tx)
    }

    @inline(never)
    private static func note(_ action: String, _ kind: CRMRecord, _ id: UUID, _ call: Call, _ tx: Transaction)
        async throws
    {
        let company = try call.company
        try await Audit.record(
            Audit.Entry("\(kind.rawValue).\(action)", on: kind.rawValue, id), by: call.actor,
            company: company, in: tx)
        try await RecordLife.tell(kind, [id], changed: ["addresses"], by: call.actor, company, tx)
    }
}
