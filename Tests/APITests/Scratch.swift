import Testing
import Glibc
import API
@Suite struct Scratch {
    @Test func dump() throws {
        let api = try OpenAPI([Boards.domain], version: "1")
        for (path, text) in [("/tmp/api-openapi.json", api.document.description), ("/tmp/api-openapi.yaml", api.yaml)] {
            let file = fopen(path, "w")!; fputs(text, file); fclose(file)
        }
        for route in Boards.routes { #expect(route.exampleFaults == [], "\(route.path)") }
    }
}
