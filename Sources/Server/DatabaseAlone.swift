import App
import ArgumentParser
import Core
import Glibc

/// Runs the embedded database without the server, so that other tools can work on it.
struct DatabaseAlone: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "database",
        abstract: "Run the embedded database alone, for psql, pg_dump or a restore.")

    func run() {
        Failure.reporting {
            Signals.hold()
            let settings = try Settings.load()
            guard settings.databaseURL == nil else {
                throw Failure(
                    code: .configuration,
                    message: "DATABASE_URL is set, so there is no embedded database to run")
            }
            let database = try EmbeddedPostgres(settings: settings)
            print(
                "PostgreSQL \(database.version) runs; connect with: psql -h \(database.socketFolder) -U postgres infinity"
            )
            print("It ends with Ctrl-C.")
            fflush(nil)
            while true {
                guard let signal = Signals.next() else { continue }
                if Signals.stop.contains(signal) { break }
                if signal == Signals.childEnded, let exit = database.ended() {
                    throw Failure(code: .unavailable, message: "the database ended by itself (\(exit))")
                }
            }
            database.stop()
        }
    }
}
