import App
import ArgumentParser
import Core
import Postgres

/// Brings the schema up to date, or tells how far it is.
struct Migrate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring the schema of the database up to this release.")

    @Flag(help: "Only show each migration and whether it has been applied; exit code 1 when one is pending.")
    var status = false

    func run() {
        Failure.reporting {
            Signals.hold()
            let place = try DatabasePlace(settings: try Settings.load())
            defer { place.stop() }
            let migrator = try Migrator(url: place.ownerURL, folder: ShippedFiles.migrations)
            if status {
                try show(try waiting { try await migrator.status() })
            } else {
                let applied = try waiting {
                    try await migrator.migrate { name, milliseconds in print("\(name)  \(milliseconds) ms") }
                }
                if applied.isEmpty {
                    print("nothing to do: all \(migrator.migrations.count) migrations are applied")
                }
            }
        }
    }

    private func show(_ states: [(migration: Migration, state: Migrator.State)]) throws {
        var isCurrent = true
        for (migration, state) in states {
            switch state {
            case .applied(let at, _): print("\(migration.name)  applied \(at)")
            case .pending:
                print("\(migration.name)  pending")
                isCurrent = false
            }
        }
        if !isCurrent { throw ExitCode(1) }
    }
}
