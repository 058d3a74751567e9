import Dispatch
import Glibc
import Wire

/// Brings the schema of a database up to the migrations given: forward only, one at a time, each whole or not at all.
///
/// Any number of instances may do so at once. An applied migration that has since changed, or is missing, stops it.
public struct Migrator: Sendable {
    public let url: String
    public let migrations: [Migration]
    /// How long a statement waits for a lock before its migration is rolled back and tried again: traffic that queues
    /// behind a waiting DDL must not wait longer.
    public var lockDeadline: Duration = .seconds(3)
    public var lockTries = 10

    public init(url: String, migrations: [Migration]) throws(MigrationError) {
        self.url = url
        self.migrations = try Migration.ordered(migrations)
    }

    public init(url: String, folder: String) throws(MigrationError) {
        try self.init(url: url, migrations: Migration.read(folder: folder))
    }

    public enum State: Sendable, Equatable {
        case applied(at: Timestamp, milliseconds: Int)
        case pending
    }

    /// Each migration and whether it has been applied; throws when the database has another history.
    public func status() async throws -> [(migration: Migration, state: State)] {
        try await offTheLoops { try status(on: try connect()) }
    }

    /// Applies what is pending; gives the names of what this call has applied.
    ///
    /// - Parameter progress: told the name and duration of each as it is done.
    @discardableResult
    public func migrate(
        progress: @escaping @Sendable (_ name: String, _ milliseconds: Int) -> Void = { _, _ in }
    ) async throws -> [String] {
        try await offTheLoops {
            let session = try connect()
            var applied: [String] = []
            while let next = try status(on: session).first(where: { $0.state == .pending }) {
                if let milliseconds = try apply(next.migration, on: session) {
                    applied.append(next.migration.name)
                    progress(next.migration.name, milliseconds)
                }
            }
            return applied
        }
    }

    private func connect() throws -> MigrationSession {
        let target = Target(url: url, isPooled: true, role: nil, applicationName: "infinity migrate")
        return MigrationSession(try target.connect(within: .seconds(10)))
    }

    // MARK: the history

    private func status(on session: MigrationSession) throws -> [(migration: Migration, state: State)] {
        let history = try session.history()
        try check(history, session)
        let applied = Dictionary(uniqueKeysWithValues: history.map { ($0.number, $0) })
        return migrations.map { migration in
            let state = applied[migration.number].map {
                State.applied(at: $0.at, milliseconds: $0.milliseconds)
            }
            return (migration, state ?? .pending)
        }
    }

    private func check(_ history: [MigrationSession.Entry], _ session: MigrationSession) throws {
        let byNumber = Dictionary(uniqueKeysWithValues: migrations.map { ($0.number, $0) })
        let known = history.compactMap { byNumber[$0.number] }
        let sums = Dictionary(
            uniqueKeysWithValues: zip(known.map(\.number), try session.checksums(of: known.map(\.sql))))
        for entry in history {
            guard let migration = byNumber[entry.number] else {
                throw MigrationError(
                    """
                    the database has migration \(entry.name), which is not among the files: this is an older release, \
                    or the file was deleted; bring it back from the history of the source
                    """)
            }
            guard migration.name == entry.name, sums[entry.number] == entry.checksum else {
                throw MigrationError(
                    """
                    migration \(migration.name) was changed after it had been applied (as \(entry.name)): put the file \
                    back as it was and write the change as a new migration
                    """)
            }
        }
        guard let last = history.map(\.number).max() else { return }
        let applied = Set(history.map(\.number))
        if let late = migrations.first(where: { $0.number < last && !applied.contains($0.number) }) {
            throw MigrationError(
                """
                migration \(late.name) comes before one that has been applied already: give it a number above \(last)
                """)
        }
    }

    // MARK: one migration

    /// Milliseconds it took; nil when another instance was faster.
    private func apply(_ migration: Migration, on session: MigrationSession) throws -> Int? {
        var tries = 0
        while true {
            tries += 1
            do {
                return migration.runsInTransaction
                    ? try session.applyWhole(migration, lockDeadline)
                    : try applyInParts(migration, session)
            } catch let error as DatabaseError {
                session.rollback()
                if error.sqlState == "55P03", tries < lockTries {
                    pause(tries)
                    continue
                }
                throw MigrationError("migration \(migration.name) failed: \(error.debugText.trimmedEnd)")
            } catch {
                session.rollback()
                throw error
            }
        }
    }

    /// Statement by statement, while a transaction on a second connection holds the lock.
    private func applyInParts(_ migration: Migration, _ session: MigrationSession) throws -> Int? {
        let guardian = try connect()
        try guardian.begin()
        defer { guardian.rollback() }
        if try session.history().contains(where: { $0.number == migration.number }) { return nil }
        return try session.applyInParts(migration, lockDeadline)
    }

    private func pause(_ tries: Int) {
        let milliseconds = UInt32(min(tries, 5)) * 200 + UInt32.random(in: 0..<300)
        usleep(milliseconds * 1000)
    }

    private func offTheLoops<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws
        -> Value
    {
        try await withUnsafeThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result { try work() }) }
        }
    }
}

extension Migrator {
    /// Whether a served database has exactly these migrations; cheap enough for a readiness probe.
    public func isCurrent(on database: Database) async throws(DatabaseError) -> Bool {
        let rows = try await database.query(
            "SELECT count(*), coalesce(max(number), 0) FROM schema_migrations")
        let (count, last) = (try rows[0].get(0, as: Int.self), try rows[0].get(1, as: Int.self))
        return count == migrations.count && last == migrations.last?.number ?? 0
    }
}

extension String {
    var trimmedEnd: String {
        var text = self
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return text
    }
}
