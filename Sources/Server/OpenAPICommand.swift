import API
import App
import ArgumentParser
import Wire

struct OpenAPICommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "openapi", abstract: "Print the contract (OpenAPI 3.1), as openapi.yaml holds it.")

    @Flag(help: "As JSON.")
    var json = false

    @Flag(help: "Print docs/errors.md instead: every problem a caller may be told.")
    var errorsPage = false

    func run() {
        Failure.reporting {
            if errorsPage {
                print(ProblemPages(Instance.routes).markdown, terminator: "")
                return
            }
            let contract = try OpenAPI(Instance.routes, version: Instance.version)
            if json {
                let out = ByteWriter()
                out.write(contract.document)
                print(out.string)
            } else {
                print(contract.yaml, terminator: "")
            }
        }
    }
}
