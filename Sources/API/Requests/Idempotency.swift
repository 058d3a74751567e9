import Crypto
import HTTP
import Postgres
import Wire

/// `Idempotency-Key`: the key, the effect and the answer are one transaction, so that a request repeated within a day
/// gets the first one's answer and nothing happens twice.
public enum Idempotency {
    /// How long an answer is kept: a day, as the draft's examples and Stripe have it.
    public static let keptSeconds = 86_400

    /// Deletes what is older than a day; for the worker, every so often.
    public static func sweep(_ database: Database) async throws(DatabaseError) -> Int {
        try await database.query(
            "DELETE FROM idempotency_keys WHERE created_at < now() - interval '\(unescaped: String(keptSeconds)) seconds'"
        ).affected
    }

    static func run(_ call: Call, _ work: @escaping () async throws -> Response) async throws -> Response {
        let route = call.route.route
        guard route.idempotency != .none else { return try await work() }
        guard let key = try key(of: call) else {
            if route.idempotency == .required { throw Problem(.idempotencyKeyRequired) }
            return try await work()
        }
        let slot = Slot(key, call)
        let database = call.db
        return try await database.database.transaction(as: database.tenant) { transaction in
            call.forgetAnswer()
            if let kept = try await slot.find(in: transaction) {
                return try replay(kept, slot, call)
            }
            call.joined = transaction
            defer { call.joined = nil }
            let response = try await work()
            try await slot.keep(response, call, in: transaction)
            return response
        }
    }

    /// The key as sent, quoted (the draft) or bare (everybody else).
    private static func key(of call: Call) throws(Problem) -> String? {
        guard let field = call.request.header("idempotency-key") else { return nil }
        var key = field[...]
        if key.hasPrefix("\""), key.hasSuffix("\""), key.count >= 2 { key = key.dropFirst().dropLast() }
        guard (1...InputLimits.idempotencyKeyLengthMax).contains(key.utf8.count),
            key.utf8.allSatisfy({ $0 >= 0x21 && $0 <= 0x7E && $0 != UInt8(ascii: "\"") }),
            call.request.headerCount("idempotency-key") == 1
        else {
            throw .faulty([
                Fault(
                    .parameter("Idempotency-Key"), "invalid",
                    "must be 1 to \(InputLimits.idempotencyKeyLengthMax) visible characters", isSyntax: true)
            ])
        }
        return String(key)
    }

    private static func replay(_ kept: Kept, _ slot: Slot, _ call: Call) throws -> Response {
        guard kept.requestHash == slot.requestHash else { throw Problem(.idempotencyKeyReused) }
        let body = try call.application.configuration.keyRing.open(kept.sealedBody, context: slot.context)
        var response = Response(status: kept.status, body: body.isEmpty ? .empty : .bytes(body))
        response.headers.add(lines: kept.headerLines)
        response.headers.add("idempotency-replayed", "true" as StaticString)
        return response
    }

    fileprivate struct Kept {
        let requestHash: [UInt8]
        let status: Int
        let headerLines: [UInt8]
        let sealedBody: [UInt8]
    }

    /// The place of one key: whose it is, for which address.
    fileprivate struct Slot {
        /// Names nobody can read back: the key and the address of the caller are kept as a code only.
        let name: [UInt8]
        let requestHash: [UInt8]

        init(_ key: String, _ call: Call) {
            let owner =
                if let company = call.principal?.companyId {
                    "c:\(company)"
                } else if let user = call.principal?.userId {
                    "u:\(user)"
                } else {
                    "a:\(call.request.clientAddress)"
                }
            let code = call.application.idempotencyKey
            name = code.authenticate("\(owner)\n\(call.request.method.name) \(call.request.path)\n\(key)")
            requestHash = code.authenticate(Array("\(call.request.query ?? "")\n".utf8) + call.bodyBytes)
        }

        var context: String { "idempotency:" + Hex.encode(name) }

        /// The answer kept under this name. A request with it that is still being worked on is a conflict.
        func find(in transaction: Transaction) async throws -> Kept? {
            let lock = Int64(bitPattern: name.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
            // The lock ends with the transaction, also when the process dies in it.
            let answers = try await transaction.batch([
                "SELECT pg_try_advisory_xact_lock(\(lock)) AS is_mine",
                """
                SELECT request_hash, status, headers, body FROM idempotency_keys
                WHERE name = \(name) AND created_at > now() - \(unescaped: "interval '\(keptSeconds) seconds'")
                """,
            ])
            if let row = answers[1].first {
                return Kept(
                    requestHash: try row.get("request_hash"),
                    status: Int(try row.get("status", as: Int32.self)),
                    headerLines: try row.get("headers"), sealedBody: try row.get("body"))
            }
            guard try answers[0][0].get("is_mine", as: Bool.self) else {
                throw Problem(.requestInFlight).header("retry-after", "1")
            }
            return nil
        }

        func keep(_ response: Response, _ call: Call, in transaction: Transaction) async throws {
            let body: [UInt8]
            switch response.body {
            case .empty: body = []
            case .bytes(let bytes): body = bytes
            case .buffer(let writer): body = writer.array
            // What is streamed cannot be kept; asking again is then a new request.
            case .file, .stream: return
            }
            let lines = response.headers.rendered + call.headers.rendered
            let sealed = call.application.configuration.keyRing.seal(body, context: context)
            // The last statement of the transaction: its commit goes along.
            _ = try await transaction.finish(with: [
                """
                INSERT INTO idempotency_keys AS kept (name, request_hash, status, headers, body)
                VALUES (\(name), \(requestHash), \(response.status), \(lines), \(sealed))
                ON CONFLICT (name) DO UPDATE
                SET request_hash = excluded.request_hash, status = excluded.status, headers = excluded.headers,
                    body = excluded.body, created_at = now()
                """
            ])
        }
    }
}
