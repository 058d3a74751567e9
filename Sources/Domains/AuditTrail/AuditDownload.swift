import API
import Core
import HTTP
import Postgres
import Wire

/// The record as a file, written while it is sent.
enum AuditDownload {
    @RouteList static var routes: [Route] {
        GET("/v1/audit-events.ndjson", "Take the record away, with its seals", .can(.auditExport), lines)
            .describe(
                "One line each: `seq`, `prev_hash`, `hash`, and `event` with exactly the bytes that are hashed. "
                    + "scripts/verify-audit.py checks such a file without this program. Of a long record POST "
                    + "/v1/audit-exports makes a file in the background."
            )
            .secret.media("application/x-ndjson")
        GET("/v1/audit-events.csv", "Take the record away for a spreadsheet", .can(.auditExport), table)
            .describe("A cell that a spreadsheet would take for a formula begins with an apostrophe.")
            .secret.media("text/csv")
    }

    struct Filter: Codable, Sendable {
        let q: Text<200>?
        let action: [String]?
        let at: Bounds<Timestamp>?

        func conditions() throws(Problem) -> SQL {
            var all: [SQL] = []
            if let q { all += try AuditQuery(q.text).conditions }
            if let action, !action.isEmpty { all.append(AuditQuery.action(action)) }
            if let from = at?.gte { all.append("a.at >= \(from)") }
            if let from = at?.gt { all.append("a.at > \(from)") }
            if let to = at?.lte { all.append("a.at <= \(to)") }
            if let to = at?.lt { all.append("a.at < \(to)") }
            return AuditQuery.and(all)
        }
    }

    static func lines(_ call: Call, _ filter: Query<Filter>) async throws -> Raw {
        try await file(.ndjson, filter.value, of: call.company, call)
    }

    static func table(_ call: Call, _ filter: Query<Filter>) async throws -> Raw {
        try await file(.csv, filter.value, of: call.company, call)
    }

    /// Streams the rows and records that they were taken away, and which.
    static func file(_ file: AuditFile, _ filter: Filter, of company: UUID, _ call: Call) async throws -> Raw
    {
        let conditions = try filter.conditions()
        try await call.db.transaction(as: Tenant(company: company, user: call.principal?.userId)) { tx in
            try await Audit.record(
                Audit.Entry(
                    "audit.exported", on: "company", company,
                    after: ["format": .string(file.rawValue), "filter": JSON(encoding: filter)]),
                by: call.actor, company: company, in: tx)
        }
        return stream(file, conditions, of: company, call)
    }

    static func stream(_ file: AuditFile, _ conditions: SQL, of company: UUID, _ call: Call) -> Raw {
        let db = call.db.database
        var headers = ResponseHeaders()
        headers.add("content-type", file.contentType)
        headers.add("content-disposition", "attachment; filename=\"\(file.name)\"")
        return Raw(
            Response.stream(headers: headers) { out in
                try await file.write(company, conditions, db) { try await out.write($0) }
            })
    }
}
