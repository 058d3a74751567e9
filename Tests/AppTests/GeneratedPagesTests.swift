import API
import Core
import Testing

@testable import App

/// Compared as booleans: the pages are too long to be printed when they differ.
@Suite struct `The committed pages` {
    @Test func `openapi.yaml is what the routes say`() throws {
        let isFresh = SmallFile.read(projectFile("openapi.yaml")) == (try contract.yaml)
        #expect(isFresh, "run `make openapi` to refresh openapi.yaml")
    }

    @Test func `docs/errors.md is what the declarations say`() {
        let isFresh = SmallFile.read(projectFile("docs/errors.md")) == ProblemPages(Instance.routes).markdown
        #expect(isFresh, "run `make docs` to refresh docs/errors.md")
    }

    @Test func `every page that the README leads to is there`() throws {
        let readme = try #require(SmallFile.read(projectFile("README.md")))
        for link in readme.matches(of: #/\]\(([^)#]+)\)/#).map({ String($0.1) }) where !link.hasPrefix("http")
        {
            #expect(SmallFile.read(projectFile(link)) != nil, "\(link) is missing")
        }
        #expect(readme.split(separator: "\n", omittingEmptySubsequences: false).count <= 80)
    }

    private var contract: OpenAPI { get throws { try OpenAPI(Instance.routes, version: Instance.version) } }

    private func projectFile(_ name: String) -> String {
        #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 } + "/" + name
    }
}
