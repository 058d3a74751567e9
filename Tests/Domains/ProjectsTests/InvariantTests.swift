import Core
import Postgres
import TestSupport
import Testing
import Wire

/// What the database itself refuses, whatever the program asks of it.
@Suite struct InvariantTests {
    /// Runs the statements as a company's own tenant; the name of the constraint that refused, if one did.
    private func refusal(_ statements: (_ company: UUID) -> [SQL]) async throws -> String? {
        let server = try await TestServer.shared()
        let owner = try await Person(signedUpOn: server, company: "Strict Works")
        let company = try #require(owner.companyId.flatMap { UUID($0) })
        do {
            try await server.instance.database.transaction(as: Tenant(company: company)) { tx in
                for statement in statements(company) { _ = try await tx.query(statement) }
            }
            return nil
        } catch let error as DatabaseError {
            return error.constraintName
        }
    }

    private let one = UUID.v7()
    private let other = UUID.v7()
    private let state = UUID.v7()
    private let task = UUID.v7()

    private func project(_ id: UUID, _ key: String, _ company: UUID) -> SQL {
        """
        INSERT INTO projects (company_id, id, key, name, time_zone) VALUES (\(company), \(id), \(key), 'Site', 'UTC')
        """
    }

    private func addState(of project: UUID, _ company: UUID) -> SQL {
        """
        INSERT INTO project_states (company_id, id, project_id, name, category, position)
        VALUES (\(company), \(state), \(project), 'Doing', 'started', 1)
        """
    }

    private func addTask(to project: UUID, category: String, _ company: UUID) -> SQL {
        """
        INSERT INTO tasks (company_id, id, project_id, number, title, state_id, category, rank, completed_at)
        VALUES (\(company), \(task), \(project), 1, 'Write', \(state), \(category), 'a',
                CASE WHEN \(category) = 'completed' THEN now() END)
        """
    }

    @Test func `a task's state is one of its own project`() async throws {
        #expect(
            try await refusal {
                [
                    project(one, "ONE", $0), project(other, "TWO", $0), addState(of: one, $0),
                    addTask(to: other, category: "started", $0),
                ]
            } == "tasks_state_fkey")
    }

    @Test func `a task's category is that of its state`() async throws {
        #expect(
            try await refusal {
                [project(one, "ONE", $0), addState(of: one, $0), addTask(to: one, category: "completed", $0)]
            } == "tasks_state_fkey")
    }

    @Test func `two projects of a company never share a key`() async throws {
        #expect(
            try await refusal { [project(one, "ONE", $0), project(other, "ONE", $0)] } == "projects_key_key")
    }
}
