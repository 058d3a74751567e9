import App
import ArgumentParser
import AuditTrail
import Core
import Loop
import Postgres

/// Seals all secrets with the newest key of INFINITY_SECRET_KEY, while the installation goes on.
struct RotateKeys: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate-keys", abstract: "Seal every secret of the database with the newest key.",
        discussion: """
            Put the new key first in INFINITY_SECRET_KEY, restart every instance, then run this. It can be broken off and \
            run again. When it says that nothing is left, wait a day (answers kept for repeated requests) and take the \
            old key out.
            """)

    func run() {
        Failure.reporting {
            let settings = try Settings.load().withKeptKeys()
            Signals.hold()
            let place = try DatabasePlace(settings: settings)
            defer { place.stop() }
            let url = place.url
            let unreadable = try waiting {
                let db = Database(settings.database(at: url), loops: LoopGroup(count: 1))
                let all = try await KeyRotation(settings.keyRing, db).run(
                    Instance.domains.flatMap { $0.sealed }
                ) {
                    print("\($0.column.table).\($0.column.column): \($0.resealed) sealed anew")
                }
                let signed = try await AuditTrailDomain.signAnew(settings.keyRing, db)
                await db.close()
                for one in all where one.unreadable > 0 {
                    print(
                        "\(one.column.table).\(one.column.column): \(one.unreadable) cannot be opened with any key"
                    )
                }
                print(
                    "\(all.reduce(0) { $0 + $1.resealed }) secrets sealed anew, \(signed) records of changes signed anew"
                )
                return all.reduce(0) { $0 + $1.unreadable }
            }
            if unreadable > 0 { throw ExitCode(1) }
        }
    }
}
