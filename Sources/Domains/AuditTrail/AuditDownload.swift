import API
import Core
import HTTP
import Postgres
import Wire

/// The record as a file, in the order of the chain: what is not sealed yet is not in it.
enum AuditDownload {
    @RouteList static var routes: [Route] {
        GET("/v1/audit-events.ndjson", "Take the record away, with its seals", .can(.auditExport), lines)
            .describe(
                "One line each: `seq`, `prev_hash`, `hash`, and `event` with exactly the bytes that are hashed. "
                    + "scripts/verify-audit.py checks such a file without this program.")
            .secret.media("application/x-ndjson")
        GET("/v1/audit-events.csv", "Take the record away for a spreadsheet", .can(.auditExport), table)
            .describe("A cell that a spreadsheet would take for a formula begins with an apostrophe.")
            .secret.media("text/csv")
    }

    struct Filter: Codable, Sendable {
        let q: Text<200>?
        let action: [String]?
        let at: Bounds<Timestamp>?
    }

    private static let rowsAtOnce = 1000

    static func lines(_ call: Call, _ filter: Query<Filter>) async throws -> Raw {
        try await file(call, filter.value, "ndjson", "application/x-ndjson; charset=utf-8", head: "") { rows, out in
            for row in rows {
                out.write("{\"seq\":\(try row.get("seq", as: Int64.self)),\"prev_hash\":\"")
                out.write(try row.get("prev_hash", as: String.self))
                out.write("\",\"hash\":\"")
                out.write(try row.get("hash", as: String.self))
                out.write("\",\"event\":")
                out.write(try row.get("canonical", as: String.self))
                out.write("}\n")
            }
        }
    }

    private static let columns = [
        "seq", "at", "actor_kind", "actor_id", "actor_name", "behind_id", "action", "target_type", "target_id",
        "before", "after", "address", "request_id", "id", "hash",
    ]

    static func table(_ call: Call, _ filter: Query<Filter>) async throws -> Raw {
        let head = columns.joined(separator: ",") + "\r\n"
        return try await file(call, filter.value, "csv", "text/csv; charset=utf-8", head: head) { rows, out in
            for row in rows { CSV.write(try row.get("cells", as: [String].self), into: out) }
        }
    }

    /// Streams the rows and records that they were taken away, and which.
    private static func file(
        _ call: Call, _ filter: Filter, _ ending: String, _ type: String, head: String,
        _ write: @escaping @Sendable (Rows, ByteWriter) throws -> Void
    ) async throws -> Raw {
        let company = try call.company
        let conditions = try sql(filter)
        try await call.db.transaction { tx in
            try await Audit.record(
                Audit.Entry(
                    "audit.exported", on: "company", company,
                    after: ["format": .string(ending), "filter": JSON(encoding: filter)]),
                by: call.actor, company: company, in: tx)
        }
        let db = call.db
        var headers = ResponseHeaders()
        headers.add("content-type", type)
        headers.add("content-disposition", "attachment; filename=\"audit.\(ending)\"")
        return Raw(
            Response.stream(headers: headers) { out in
                var seq: Int64 = 0
                try await out.write(head)
                while true {
                    let rows = try await db.report(select(company, conditions, after: seq))
                    let piece = ByteWriter(capacity: 256 << 10)
                    try write(rows, piece)
                    try await out.write(piece.array)
                    guard rows.count == rowsAtOnce else { return }
                    seq = try rows[rows.count - 1].get("seq")
                }
            })
    }

    private static func sql(_ filter: Filter) throws(Problem) -> SQL {
        var all: [SQL] = []
        if let q = filter.q { all += try AuditQuery(q.text).conditions }
        if let action = filter.action, !action.isEmpty { all.append(AuditQuery.action(action)) }
        if let from = filter.at?.gte { all.append("a.at >= \(from)") }
        if let from = filter.at?.gt { all.append("a.at > \(from)") }
        if let to = filter.at?.lte { all.append("a.at <= \(to)") }
        if let to = filter.at?.lt { all.append("a.at < \(to)") }
        return all.isEmpty ? "" : " AND \(fragment: all.joined(separator: " AND "))"
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
         ORDER BY s.seq LIMIT \(rowsAtOnce)
        """
    }
}
