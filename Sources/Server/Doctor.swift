import App
import ArgumentParser
import Core

struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show each setting with its source, and check what the server depends on.",
        discussion: "Exit code 0 when all is well, 1 when a check failed, 78 when a setting is wrong.")

    @Flag(help: "Only ask the running server whether it is ready; for the health check of a container.")
    var health = false

    @Flag(help: "Only show the settings.")
    var settings = false

    @Flag(help: "Print docs/configuration.md instead.")
    var settingsPage = false

    func run() {
        Failure.reporting {
            if settingsPage {
                print(Settings.page, terminator: "")
            } else if health {
                if let problem = HealthProbe(settings: try Settings.load()).ask() {
                    throw Failure(code: .unavailable, message: problem)
                }
            } else {
                let loaded = try Settings.load()
                show(loaded)
                if !settings { try examine(loaded) }
            }
        }
    }

    private func show(_ settings: Settings) {
        let width = settings.lines.map(\.name.count).max() ?? 0
        for line in settings.lines {
            let name = line.name + String(repeating: " ", count: width - line.name.count)
            print("\(name)  \(line.value)  (\(line.source))")
        }
    }

    private func examine(_ settings: Settings) throws {
        let findings = Examination(settings: settings).findings()
        print()
        for finding in findings {
            print("\(finding.isGood ? "ok   " : "WRONG") \(finding.name): \(finding.text)")
        }
        if findings.contains(where: { !$0.isGood }) { throw ExitCode(1) }
    }
}
