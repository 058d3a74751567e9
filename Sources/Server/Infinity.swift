import ArgumentParser

/// The command line: `infinity serve`, `infinity doctor`, …
struct Infinity: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "infinity",
        abstract: "The marketing platform: one server, one PostgreSQL.",
        discussion: "Settings are read from the environment; see docs/configuration.md or `infinity doctor`.",
        subcommands: [
            Serve.self, Work.self, Migrate.self, Seed.self, OpenAPICommand.self, Routes.self, Doctor.self,
            DatabaseAlone.self, OperatorCommand.self, RotateKeys.self,
        ])
}
