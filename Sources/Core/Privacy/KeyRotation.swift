import Crypto
import Postgres
import Wire

/// Seals every secret of the database with the newest key, some at a time: reading goes on with whichever key a value
/// was sealed with, and a rotation that was broken off is simply begun again.
public struct KeyRotation: Sendable {
    public struct Progress: Sendable {
        public let column: SealedColumn
        public var resealed = 0
        /// Sealed with a key that is not on the ring, or altered: left as they are.
        public var unreadable = 0
    }

    private let ring: KeyRing
    private let db: Database

    private static let rowsAtOnce = 200

    public init(_ ring: KeyRing, _ db: Database) {
        self.ring = ring
        self.db = db
    }

    /// - Parameter told: after each piece.
    public func run(_ columns: [SealedColumn], told: (Progress) async -> Void) async throws -> [Progress] {
        let companies = try await db.query("SELECT company_id FROM company_upkeep ORDER BY company_id")
            .map { try $0.get("company_id", as: UUID.self) }
        var all: [Progress] = []
        for column in columns {
            var progress = Progress(column: column)
            if column.isTenants {
                for company in companies { try await reseal(column, company, &progress, told) }
            } else {
                try await reseal(column, nil, &progress, told)
            }
            all.append(progress)
        }
        return all
    }

    private func reseal(
        _ column: SealedColumn, _ company: UUID?, _ progress: inout Progress, _ told: (Progress) async -> Void
    ) async throws {
        let tenant = Tenant(company: company)
        let inCompany: SQL = company.map { "company_id = \($0) AND " } ?? ""
        let header = ring.header
        var last = ""
        while true {
            let rows = try await db.query(
                """
                SELECT \(unescaped: column.key)::text AS key, \(fragment: column.read()) AS sealed
                  FROM \(unescaped: column.table)
                 WHERE \(fragment: inCompany)\(unescaped: column.key)::text > \(last)
                   AND substring(\(fragment: column.read()) FROM 1 FOR \(header.count)) <> \(header)
                 ORDER BY \(unescaped: column.key)::text LIMIT \(Self.rowsAtOnce)
                """, as: tenant)
            if rows.isEmpty { return }
            var statements: [SQL] = []
            for row in rows {
                last = try row.get("key")
                let old = try row.get("sealed", as: [UInt8].self)
                guard let secret = try? ring.open(old, context: column.context(last)) else {
                    progress.unreadable += 1
                    continue
                }
                let new = ring.seal(secret, context: column.context(last))
                // Only while it is still what was read: a secret that was changed meanwhile is sealed anew already.
                statements.append(
                    """
                    UPDATE \(unescaped: column.table) SET \(unescaped: column.column) = \(fragment: column.write(new))
                     WHERE \(fragment: inCompany)\(unescaped: column.key)::text = \(last)
                       AND \(fragment: column.read()) = \(old)::bytea
                    """)
            }
            let done = try await db.batch(statements, as: tenant)
            progress.resealed += done.reduce(0) { $0 + $1.affected }
            await told(progress)
        }
    }
}
