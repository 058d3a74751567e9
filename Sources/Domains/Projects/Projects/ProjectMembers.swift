import API
import Core
import Postgres
import Wire

/// Who takes part in a project, and as what.
enum ProjectMembers {
    /// Throws unless all are active members of the company, and keeps them so until the transaction ends.
    @inline(never)
    static func requireActive(_ members: [UUID], at pointer: String, _ company: UUID, _ tx: Transaction) async throws {
        if members.isEmpty { return }
        // FOR SHARE: nobody who leaves in this moment is given a place.
        let rows = try await tx.query(
            """
            SELECT id FROM memberships
             WHERE company_id = \(company) AND id = ANY(\(members)) AND status = 'active' FOR SHARE
            """)
        let active = Set(try rows.map { try $0.get("id", as: UUID.self) })
        let stranger = members.first { !active.contains($0) }
        if stranger != nil {
            throw Problem.unprocessable(pointer, "unknown-member", "names nobody who is an active member of the company")
        }
    }

    /// Whoever is in it already keeps his role.
    static func insert(_ members: [(id: UUID, role: ProjectRole)], to project: UUID, _ company: UUID) -> SQL {
        """
        INSERT INTO project_members (company_id, project_id, member_id, role)
        SELECT \(company), \(project), place.member, place.role
          FROM unnest(\(members.map(\.id))::uuid[], \(members.map(\.role.rawValue))::text[]) AS place (member, role)
        ON CONFLICT DO NOTHING
        """
    }
}
