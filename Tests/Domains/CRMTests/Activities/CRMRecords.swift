import Postgres
import TestSupport
import Testing
import Wire

/// Records put into the database as they are, for stories that begin when they are there.
struct CRMRecords: Sendable {
    let world: World
    let company: UUID

    init(_ world: World) throws {
        self.world = world
        company = try #require(world.owner.companyId.flatMap { UUID($0) })
    }

    private func write(_ statements: [SQL]) async throws {
        _ = try await world.server.instance.database.write(statements, as: Tenant(company: company))
    }

    func contact(_ name: String, owner: String? = nil, lifecycle: String = "subscriber", email: String? = nil)
        async throws -> String
    {
        let id = UUID.v7()
        var statements: [SQL] = [
            """
            INSERT INTO contacts (company_id, id, name, owner_id, lifecycle, email, time_zone)
            VALUES (\(company), \(id), \(name), \(owner.flatMap { UUID($0) }), \(lifecycle), \(email), 'Europe/Berlin')
            """
        ]
        if let email {
            statements.append(
                """
                INSERT INTO contact_identities (company_id, id, contact_id, kind, value, value_norm, is_primary)
                VALUES (\(company), \(UUID.v7()), \(id), 'email', \(email), lower(\(email)), true)
                """)
        }
        try await write(statements)
        return id.description
    }

    /// A client at which that contact is.
    func client(_ name: String, with contact: String) async throws -> String {
        let (id, contact) = (UUID.v7(), try #require(UUID(contact)))
        try await write([
            "INSERT INTO clients (company_id, id, name) VALUES (\(company), \(id), \(name))",
            "INSERT INTO contact_clients (company_id, contact_id, client_id) VALUES (\(company), \(contact), \(id))",
        ])
        return id.description
    }

    /// A deal of the client in a pipeline of its own, at its first stage.
    func deal(_ name: String, of client: String) async throws -> String {
        let (id, pipeline, stage, client) = (UUID.v7(), UUID.v7(), UUID.v7(), try #require(UUID(client)))
        try await write([
            "INSERT INTO pipelines (company_id, id, name, position) VALUES (\(company), \(pipeline), \(name), 1)",
            """
            INSERT INTO stages (company_id, id, pipeline_id, name, position, probability_bp)
            VALUES (\(company), \(stage), \(pipeline), 'Offer', 1, 2500)
            """,
            """
            INSERT INTO deals (company_id, id, name, pipeline_id, stage_id, stage_kind, client_id, rank, amount_minor, currency)
            VALUES (\(company), \(id), \(name), \(pipeline), \(stage), 'open', \(client), 'a', 90000, 'EUR')
            """,
            """
            INSERT INTO deal_stage_events (company_id, deal_id, seq, pipeline_id, to_stage, to_kind, amount_minor, currency)
            VALUES (\(company), \(id), 1, \(pipeline), \(stage), 'open', 90000, 'EUR')
            """,
        ])
        return id.description
    }

    func lead(_ title: String, of contact: String) async throws -> String {
        let (id, contact) = (UUID.v7(), try #require(UUID(contact)))
        try await write([
            "INSERT INTO leads (company_id, id, contact_id, title) VALUES (\(company), \(id), \(contact), \(title))"
        ])
        return id.description
    }

    /// The membership of a colleague.
    func member(_ person: Person) async throws -> String {
        let user = try #require(UUID(person.userId))
        let rows = try await world.server.instance.database.query(
            "SELECT id FROM memberships WHERE company_id = \(company) AND user_id = \(user)",
            as: Tenant(company: company))
        return try rows[0].get("id", as: UUID.self).description
    }
}
