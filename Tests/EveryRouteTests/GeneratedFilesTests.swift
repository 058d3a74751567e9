import API
import App
import Glibc
import Testing
import Wire

/// The files that are written from the declarations say what the declarations say now.
@Suite struct GeneratedFilesTests {
    @Test func `openapi.yaml is the contract of these routes`() throws {
        let contract = try OpenAPI(Instance.routes, version: Instance.version).yaml
        #expect(Self.read("openapi.yaml") == contract, "openapi.yaml is stale: run `make openapi`")
    }

    @Test func `docs/errors.md lists these problems`() {
        let page = ProblemPages(Instance.routes).markdown
        #expect(Self.read("docs/errors.md") == page, "docs/errors.md is stale: run `make docs`")
    }

    @Test(arguments: Instance.routes.flatMap { $0.routes }.map(Case.init))
    func `the examples of a route are such as it takes and gives`(_ one: Case) {
        #expect(one.route.exampleFaults == [])
    }

    private static func read(_ path: String) -> String {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        guard let file = fopen("/\(root)/\(path)", "r") else { return "" }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 32 << 20)
        return String(decoding: bytes[..<fread(&bytes, 1, bytes.count, file)], as: UTF8.self)
    }
}
