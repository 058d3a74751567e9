import API
import Core
import Postgres
import Wire

/// The record as a file, in the order of the chain: what is not sealed yet is not in it.
enum AuditFile: String, Codable, CaseIterable, SQLBindable, RowValue, Sendable {
    case ndjson, csv

    private static let columns = [
        "seq", "at", "actor_kind", "actor_id", "actor_name", "behind_id", "action", "target_type",
        "target_id",
        "before", "after", "address", "request_id", "id", "hash",
    ]

    var name: String { "audit.\(rawValue)" }

    var contentType: String {
        switch self {
        case .ndjson: "application/x-ndjson; charset=utf-8"
        case .csv: "text/csv; charset=utf-8"
        }
    }

    private var head: String {
        switch self {
        case .ndjson: ""
        case .csv: Self.columns.joined(separator: ",") + "\r\n"
        }
    }

    /// Hands the file to `take`, a piece after the other; gives how many changes were in it.
    @discardableResult
    func write(
        _ company: UUID, _ conditions: SQL, _ db: Database, _ take: ([UInt8]) async throws -> Void
    ) async throws -> Int {
        var (seq, count) = (Int64(0), 0)
        if !head.isEmpty { try await take(Array(head.utf8)) }
        while true {
            let rows = try await db.report(
                Self.select(company, conditions, after: seq), as: Tenant(company: company))
            let piece = ByteWriter(capacity: 256 << 10)
            for row in rows { try write(row, into: piece) }
            if !rows.isEmpty { try await take(piece.array) }
            count += rows.count
            guard rows.count == AuditLimits.rowsAtOnce else { return count }
            seq = try rows[rows.count - 1].get("seq")
        }
    }

    private func write(_ row: Row, into out: ByteWriter) throws {
        switch self {
        case .ndjson: try Self.writeLine(row, into: out)
        case .csv: CSV.write(try row.get("cells", as: [String].self), into: out)
        }
    }

    /// `event` holds exactly the bytes that were hashed.
    static func writeLine(_ row: Row, into out: ByteWriter) throws {
        out.write("{\"seq\":\(try row.get("seq", as: Int64.self)),\"prev_hash\":\"")
        out.write(try row.get("prev_hash", as: String.self))
        out.write("\",\"hash\":\"")
        out.write(try row.get("hash", as: String.self))
        out.write("\",\"event\":")
        out.write(try row.get("canonical", as: String.self))
        out.write("}\n")
    }

    private static func select(_ company: UUID, _ conditions: SQL, after seq: Int64) -> SQL {
        """
        SELECT s.seq, encode(s.prev_hash, 'hex') AS prev_hash, encode(s.hash, 'hex') AS hash,
               \(fragment: AuditChain.canonical) AS canonical,
               array_replace(ARRAY[
                   s.seq::text, to_char(a.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), a.actor_kind,
                   a.actor_id::text, u.name, a.behind_id::text, a.action, a.target_type, a.target_id::text,
                   a.before::text, a.after::text, a.address, a.request_id, a.id::text, encode(s.hash, 'hex')],
                   NULL, '') AS cells
          FROM audit_seals s
          JOIN audit_log a ON a.company_id = s.company_id AND a.id = s.audit_id
          LEFT JOIN users u ON u.id = CASE WHEN a.actor_kind = 'api_key' THEN a.behind_id ELSE a.actor_id END
         WHERE s.company_id = \(company) AND s.seq > \(seq)\(fragment: conditions)
         ORDER BY s.seq LIMIT \(AuditLimits.rowsAtOnce)
        """
    }
}
