import CLibPQ
import Glibc
import Wire

/// A connection of the migrator's own, used by one thread that may wait.
final class MigrationSession {
    private let handle: Handle
    private var pg: OpaquePointer { handle.pg }

    struct Entry {
        let number: Int
        let name: String
        let checksum: String
        let at: Timestamp
        let milliseconds: Int
    }

    init(_ handle: Handle) { self.handle = handle }

    // The words "Infinity" in ASCII: a number no other program will have thought of for its locks.
    private static let lock = "5291279215216915577"

    func history() throws(DatabaseError) -> [Entry] {
        guard try rows("SELECT to_regclass('schema_migrations') IS NOT NULL")[0][0] == "t" else { return [] }
        return try rows(
            """
            SELECT number, name, checksum, (extract(epoch FROM applied_at) * 1000000)::bigint, milliseconds
            FROM schema_migrations ORDER BY number
            """
        ).map {
            Entry(
                number: Int($0[0]) ?? 0, name: $0[1], checksum: $0[2],
                at: Timestamp(microseconds: Int64($0[3]) ?? 0), milliseconds: Int($0[4]) ?? 0)
        }
    }

    /// The server computes them: SHA-256 of each text, all in one trip, for there are many at each start.
    func checksums(of texts: [String]) throws(DatabaseError) -> [String] {
        guard !texts.isEmpty else { return [] }
        let values = texts.indices.map { "(\($0), $\($0 + 1)::text)" }.joined(separator: ", ")
        return try rows(
            "SELECT encode(sha256(convert_to(t.body, 'UTF8')), 'hex') FROM (VALUES \(values)) t(n, body) ORDER BY n",
            texts
        ).map { $0[0] }
    }

    /// Begins a transaction that alone may migrate; waits for whoever does at this moment.
    func begin() throws(DatabaseError) {
        try run("BEGIN")
        try run(
            "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"
        )
        try run("SELECT pg_advisory_xact_lock(\(Self.lock))")
        try run(
            """
            CREATE TABLE IF NOT EXISTS schema_migrations (
                number integer NOT NULL, name text NOT NULL, checksum text NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT now(), milliseconds integer NOT NULL,
                CONSTRAINT schema_migrations_pkey PRIMARY KEY (number))
            """)
    }

    func applyWhole(_ migration: Migration, _ lockDeadline: Duration) throws -> Int? {
        try begin()
        if try history().contains(where: { $0.number == migration.number }) {
            rollback()
            return nil
        }
        try run("SET LOCAL lock_timeout = \(lockDeadline.milliseconds)")
        let started = ContinuousClock.now
        try run(migration.sql)
        guard PQtransactionStatus(pg) == PQTRANS_INTRANS else {
            throw MigrationError(
                "migration \(migration.name) ends the transaction it runs in: leave COMMIT and ROLLBACK out")
        }
        let milliseconds = Int((ContinuousClock.now - started).milliseconds)
        try record(migration, milliseconds)
        try run("COMMIT")
        return milliseconds
    }

    func applyInParts(_ migration: Migration, _ lockDeadline: Duration) throws -> Int {
        let started = ContinuousClock.now
        for statement in SQLText.statements(in: migration.sql) { try run(statement) }
        let milliseconds = Int((ContinuousClock.now - started).milliseconds)
        try record(migration, milliseconds)
        return milliseconds
    }

    private func record(_ migration: Migration, _ milliseconds: Int) throws(DatabaseError) {
        _ = try rows(
            """
            INSERT INTO schema_migrations (number, name, checksum, milliseconds)
            VALUES ($1::integer, $2, encode(sha256(convert_to($3, 'UTF8')), 'hex'), $4::integer)
            """, [String(migration.number), migration.name, migration.sql, String(milliseconds)])
    }

    func rollback() {
        if PQtransactionStatus(pg) != PQTRANS_IDLE { try? run("ROLLBACK") }
    }

    private func run(_ text: String) throws(DatabaseError) {
        try check(PQexec(pg, text)) { _ in }
    }

    func rows(_ text: String, _ values: [String] = []) throws(DatabaseError) -> [[String]] {
        let copies = values.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        let result = copies.map { UnsafePointer<CChar>($0) }.withUnsafeBufferPointer {
            PQexecParams(pg, text, Int32(values.count), nil, $0.baseAddress, nil, nil, 0)
        }
        var rows: [[String]] = []
        try check(result) { result in
            rows = (0..<PQntuples(result)).map { row in
                (0..<PQnfields(result)).map { String(cString: PQgetvalue(result, row, $0)) }
            }
        }
        return rows
    }

    private func check(_ result: OpaquePointer?, _ read: (OpaquePointer) -> Void) throws(DatabaseError) {
        guard let result else { throw .unavailable(handle.errorText) }
        defer { PQclear(result) }
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: read(result)
        default: throw handle.isBad ? .unavailable(handle.errorText) : DatabaseError(result: result)
        }
    }
}
