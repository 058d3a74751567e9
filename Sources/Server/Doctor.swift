import ArgumentParser
import Core

/// Shows the settings in force and checks what the server depends on.
struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show each setting with its source, and check what the server depends on.")

    @Flag(help: "Print docs/configuration.md instead.")
    var settingsPage = false

    func run() {
        if settingsPage {
            print(Settings.page, terminator: "")
            return
        }
        Failure.reporting {
            let settings = try Settings.load()
            for line in settings.lines { print("\(line.name)=\(line.value)  (\(line.source))") }
        }
    }
}
