import API
import Core
import Logging
import Loop
import Postgres
import TestCluster
import Testing
import Wire

/// A database with the real migrations, seen as the program sees it.
final class CoreGround: Sendable {
    static let loops = LoopGroup(count: 2)
    let test: TestDatabase
    let database: Database

    init() async throws {
        test = try await TestCluster.shared.database(like: "core_tests") { database in
            let here = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
            _ = try await Migrator(url: database.url, folder: "/\(here)/Migrations").migrate()
        }
        var patient = DatabaseConfiguration(url: test.url)
        // A machine busy with all tests at once is slow, not broken.
        (patient.connectDeadline, patient.leaseDeadline, patient.statementDeadline) = (
            .seconds(30), .seconds(30), .seconds(30)
        )
        database = Database(patient, loops: Self.loops)
    }

    deinit {
        let database = database
        Task { await database.close() }
    }

    func work(_ environment: Environment = Environment()) -> Work {
        Work(database: database, environment: environment, log: Logger(label: "test"))
    }

    func count(_ sql: SQL, as tenant: Tenant = .none) async throws -> Int {
        try await database.query(sql, as: tenant)[0].get(0)
    }
}

/// Asks again until the answer is yes; fails when it has not become so in time.
func eventually(
    within limit: Duration = .seconds(10), _ claim: String, at location: SourceLocation = #_sourceLocation,
    _ holds: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while ContinuousClock.now < end {
        if try await holds() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("\(claim): not within \(limit)", sourceLocation: location)
}
