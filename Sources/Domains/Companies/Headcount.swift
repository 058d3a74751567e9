import Postgres
import Wire

/// Who is in a company and who owns it changes under one lock, that of the company's row; and each change ends with
/// counting anew, so that the row's constraints can refuse what would leave no owner.
enum Headcount {
    struct Locked {
        let status: String
        let name: String
        let seatLimit: Int
        let seatsUsed: Int

        var hasSeat: Bool { seatsUsed < seatLimit }
    }

    /// Waits for whoever is changing the same company. What is read after it in the transaction is the latest.
    static func lock(_ company: UUID, in tx: Transaction) async throws -> Locked? {
        let rows = try await tx.query(
            "SELECT status, name, seat_limit, seats_used FROM companies WHERE id = \(company) FOR UPDATE")
        guard let row = rows.first else { return nil }
        return Locked(
            status: try row.get("status"), name: try row.get("name"), seatLimit: try row.get("seat_limit"),
            seatsUsed: try row.get("seats_used"))
    }

    /// Counts owners and seats. Staff of the agency are in by grant and take no seat here, nor do service accounts.
    static func recount(_ company: UUID) -> SQL {
        """
        UPDATE companies
           SET owner_count = (
                   SELECT count(*) FROM memberships m
                     JOIN member_roles mr ON mr.company_id = m.company_id AND mr.member_id = m.id
                     JOIN roles r ON r.company_id = mr.company_id AND r.id = mr.role_id AND r.key = 'owner'
                    WHERE m.company_id = \(company) AND m.status = 'active'),
               seats_used = (
                   SELECT count(*) FROM memberships m JOIN users u ON u.id = m.user_id AND u.kind = 'person'
                    WHERE m.company_id = \(company) AND m.status = 'active' AND m.via_company_id IS NULL)
         WHERE id = \(company)
        """
    }
}
