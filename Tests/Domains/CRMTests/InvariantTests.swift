import Core
import Postgres
import TestSupport
import Testing
import Wire

/// What the database itself refuses, whatever the program asks of it.
@Suite struct InvariantTests {
    /// Runs the statements as a company's own tenant; the name of the constraint that refused, if one did.
    private func refusal(_ statements: (_ company: UUID) -> [SQL]) async throws -> String? {
        let world = try await World("Strict Works")
        let company = try #require(world.owner.companyId.flatMap { UUID($0) })
        do {
            try await world.server.instance.database.transaction(as: Tenant(company: company)) { tx in
                for statement in statements(company) { _ = try await tx.query(statement) }
            }
            return nil
        } catch let error as DatabaseError {
            return error.constraintName
        }
    }

    private let anna = UUID.v7()
    private let bert = UUID.v7()
    private let sales = UUID.v7()
    private let renewals = UUID.v7()
    private let open = UUID.v7()
    private let won = UUID.v7()

    private func contact(_ id: UUID, _ name: String, _ company: UUID) -> SQL {
        "INSERT INTO contacts (company_id, id, name) VALUES (\(company), \(id), \(name))"
    }

    private func email(_ address: String, of contact: UUID, isPrimary: Bool = false, _ company: UUID) -> SQL {
        """
        INSERT INTO contact_identities (company_id, id, contact_id, kind, value, value_norm, is_primary)
        VALUES (\(company), \(UUID.v7()), \(contact), 'email', \(address), lower(\(address)), \(isPrimary))
        """
    }

    private func pipeline(_ id: UUID, _ name: String, _ company: UUID) -> SQL {
        "INSERT INTO pipelines (company_id, id, name, position) VALUES (\(company), \(id), \(name), 1)"
    }

    private func stage(_ id: UUID, of pipeline: UUID, kind: String, probability: Int, _ company: UUID) -> SQL
    {
        """
        INSERT INTO stages (company_id, id, pipeline_id, name, kind, position, probability_bp)
        VALUES (\(company), \(id), \(pipeline), \(kind), \(kind), 1, \(probability))
        """
    }

    private func deal(
        in pipeline: UUID, at stage: UUID, kind: String, amount: Int? = nil, currency: String? = nil,
        _ company: UUID
    ) -> SQL {
        """
        INSERT INTO deals (company_id, id, name, pipeline_id, stage_id, stage_kind, rank, amount_minor, currency, closed_at)
        VALUES (\(company), \(UUID.v7()), 'Relaunch', \(pipeline), \(stage), \(kind), 'a', \(amount), \(currency),
                CASE WHEN \(kind) <> 'open' THEN now() END)
        """
    }

    @Test func `an address is one person's`() async throws {
        #expect(
            try await refusal {
                [
                    contact(anna, "Anna", $0), contact(bert, "Bert", $0),
                    email("Anna@Example.com", of: anna, $0), email("anna@example.com", of: bert, $0),
                ]
            } == "contact_identities_value_key")
    }

    @Test func `a person has one primary address of a kind`() async throws {
        #expect(
            try await refusal {
                [
                    contact(anna, "Anna", $0), email("a@example.com", of: anna, isPrimary: true, $0),
                    email("b@example.com", of: anna, isPrimary: true, $0),
                ]
            } == "contact_identities_primary_key")
    }

    @Test func `a deal's stage is one of its own pipeline`() async throws {
        #expect(
            try await refusal {
                [
                    pipeline(sales, "Sales", $0), pipeline(renewals, "Renewals", $0),
                    stage(open, of: sales, kind: "open", probability: 1_000, $0),
                    deal(in: renewals, at: open, kind: "open", $0),
                ]
            } == "deals_stage_fkey")
    }

    @Test func `a deal is won only at a stage that says so`() async throws {
        #expect(
            try await refusal {
                [
                    pipeline(sales, "Sales", $0),
                    stage(open, of: sales, kind: "open", probability: 1_000, $0),
                    deal(in: sales, at: open, kind: "won", $0),
                ]
            } == "deals_stage_fkey")
    }

    @Test func `what is won is certain`() async throws {
        #expect(
            try await refusal {
                [pipeline(sales, "Sales", $0), stage(won, of: sales, kind: "won", probability: 9_000, $0)]
            }
                == "stages_probability_fits")
    }

    @Test func `an amount has a currency`() async throws {
        #expect(
            try await refusal {
                [
                    pipeline(sales, "Sales", $0),
                    stage(open, of: sales, kind: "open", probability: 1_000, $0),
                    deal(in: sales, at: open, kind: "open", amount: 100, $0),
                ]
            } == "deals_amount_has_currency")
    }
}
