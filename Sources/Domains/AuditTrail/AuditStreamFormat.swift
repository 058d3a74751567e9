import Core
import Postgres
import Wire

/// How changes are written for a collector of logs.
enum AuditStreamFormat: String, Codable, CaseIterable, SQLBindable, RowValue, Sendable {
    /// A line each, as in the export: whoever receives them can verify the chain.
    case ndjson
    /// OTLP/HTTP logs as JSON: one record each, with the change as attributes.
    case otlp

    var contentType: String {
        switch self {
        case .ndjson: "application/x-ndjson"
        case .otlp: "application/json"
        }
    }

    /// The body for the first rows, as many as fit; and the seal of the last of them.
    func body(_ rows: Rows, of company: UUID) throws -> (bytes: [UInt8], lastSeq: Int64, count: Int) {
        let out = ByteWriter(capacity: 64 << 10)
        var (lastSeq, count) = (Int64(0), 0)
        begin(company, out)
        for row in rows {
            if count > 0 && out.count > AuditLimits.streamedBytes { break }
            try write(row, isFirst: count == 0, out)
            lastSeq = try row.get("seq")
            count += 1
        }
        end(out)
        return (out.array, lastSeq, count)
    }

    private func begin(_ company: UUID, _ out: ByteWriter) {
        guard self == .otlp else { return }
        out.write(
            """
            {"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"infinity"}},\
            {"key":"infinity.company_id","value":{"stringValue":"\(company)"}}]},\
            "scopeLogs":[{"scope":{"name":"infinity.audit"},"logRecords":[
            """)
    }

    private func end(_ out: ByteWriter) {
        if self == .otlp { out.write("]}]}]}") }
    }

    private func write(_ row: Row, isFirst: Bool, _ out: ByteWriter) throws {
        switch self {
        case .ndjson: try AuditFile.writeLine(row, into: out)
        case .otlp:
            if !isFirst { out.write(",") }
            try out.writeJSON(Self.record(row))
        }
    }

    /// Names as OpenTelemetry has them: lowerCamelCase, 64-bit numbers as text, 9 for INFO.
    private static func record(_ row: Row) throws -> JSON {
        let at = try row.get("at", as: Timestamp.self)
        let sealedAt = try row.get("sealed_at", as: Timestamp.self)
        var attributes: [JSON] = [
            ["key": "audit.seq", "value": ["intValue": .string(String(try row.get("seq", as: Int64.self)))]]
        ]
        let texts = [
            "id", "action", "actor_kind", "actor_id", "behind_id", "target_type", "target_id", "before",
            "after", "address",
            "request_id", "prev_hash", "hash",
        ]
        for name in texts {
            guard let text = try row.get(name, as: String?.self) else { continue }
            attributes.append(["key": .string("audit.\(name)"), "value": ["stringValue": .string(text)]])
        }
        return [
            "timeUnixNano": .string("\(at.microseconds)000"),
            "observedTimeUnixNano": .string("\(sealedAt.microseconds)000"),
            "severityNumber": 9, "severityText": "INFO",
            "eventName": .string("infinity.\(try row.get("action", as: String.self))"),
            "body": ["stringValue": .string(try row.get("canonical"))], "attributes": .array(attributes),
        ]
    }

    /// A made-up change, to try the receiver.
    func sample(_ company: UUID, at: Timestamp) -> [UInt8] {
        let event: JSON = [
            "company_id": .string(company.description), "action": "audit.test", "at": .string(at.description),
            "actor_kind": "system", "target_type": "audit_stream",
        ]
        let zeros = String(repeating: "0", count: 64)
        let out = ByteWriter(capacity: 1024)
        begin(company, out)
        switch self {
        case .ndjson:
            out.write("{\"seq\":0,\"prev_hash\":\"\(zeros)\",\"hash\":\"\(zeros)\",\"event\":\(event)}\n")
        case .otlp:
            let record: JSON = [
                "timeUnixNano": .string("\(at.microseconds)000"), "severityNumber": 9, "severityText": "INFO",
                "eventName": "infinity.audit.test", "body": ["stringValue": .string(event.description)],
                "attributes": [],
            ]
            out.write(record.description)
        }
        end(out)
        return out.array
    }

    /// The seals after one, with all that either format tells.
    static func select(after seq: Int64, of company: UUID) -> SQL {
        """
        SELECT s.seq, encode(s.prev_hash, 'hex') AS prev_hash, encode(s.hash, 'hex') AS hash, s.sealed_at,
               \(fragment: AuditChain.canonical) AS canonical, a.at, a.id::text AS id, a.action, a.actor_kind,
               a.actor_id::text AS actor_id, a.behind_id::text AS behind_id, a.target_type,
               a.target_id::text AS target_id, a.before::text AS before, a.after::text AS after, a.address, a.request_id
          FROM audit_seals s
          JOIN audit_log a ON a.company_id = s.company_id AND a.id = s.audit_id
         WHERE s.company_id = \(company) AND s.seq > \(seq)
         ORDER BY s.seq LIMIT \(AuditLimits.streamedAtOnce)
        """
    }
}
