import App
import ArgumentParser
import Core
import Loop
import Postgres

/// Says who runs the installation: sees its queues, its settings and what fails, whichever company he is in.
struct OperatorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operator", abstract: "Name or dismiss those who run this installation.",
        subcommands: [Add.self, Remove.self, List.self])

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a user an operator.")
        @Argument(help: "The e-mail address of an account.") var email: String

        func run() {
            Failure.reporting {
                try OperatorCommand.found(
                    try OperatorCommand.onDatabase { [email] in try await Operators.add(email, $0) })
                print("\(email) is an operator")
            }
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make an operator an ordinary user again.")
        @Argument(help: "The e-mail address of an account.") var email: String

        func run() {
            Failure.reporting {
                try OperatorCommand.found(
                    try OperatorCommand.onDatabase { [email] in try await Operators.remove(email, $0) })
                print("\(email) is no operator")
            }
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print the operators.")

        func run() {
            Failure.reporting {
                let all = try OperatorCommand.onDatabase { try await Operators.all($0) }
                for one in all { print("\(one.email)  \(one.name)  since \(one.since)") }
            }
        }
    }

    private static func onDatabase<Value: Sendable>(
        _ work: @escaping @Sendable (Database) async throws -> Value
    ) throws -> Value {
        Signals.hold()
        let place = try DatabasePlace(settings: try Settings.load(), sharing: true)
        defer { place.stop() }
        var configuration = DatabaseConfiguration(url: place.ownerURL)
        configuration.role = nil
        let owner = Database(configuration, loops: LoopGroup(count: 1))
        return try waiting {
            let value = try await work(owner)
            await owner.close()
            return value
        }
    }

    private static func found(_ isFound: Bool) throws {
        if isFound { return }
        print("nobody has that e-mail address")
        throw ExitCode(1)
    }
}
