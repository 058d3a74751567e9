import App
import ArgumentParser
import Core
import Postgres

struct Seed: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make the demo company, unless it is there, and print how to log in to it.")

    func run() {
        Failure.reporting {
            Signals.hold()
            let settings = try Settings.load().withKeptKeys()
            let place = try DatabasePlace(settings: settings)
            defer { place.stop() }
            let migrator = try Migrator(url: place.ownerURL, folder: ShippedFiles.migrations)
            let login = try waiting {
                try await migrator.migrate()
                let instance = try await Instance(settings, databaseURL: place.url)
                let login = try await DemoCompany(of: instance, settings: settings).make()
                await instance.database.close()
                return login
            }
            print("\(login.email)  \(login.password)")
        }
    }
}
