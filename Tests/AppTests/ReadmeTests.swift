import Core
import Testing

@Suite struct `The README` {
    @Test func `is short, and every page it leads to is there`() throws {
        let readme = try #require(SmallFile.read(projectFile("README.md")))
        #expect(readme.split(separator: "\n", omittingEmptySubsequences: false).count <= 80)
        let links = readme.matches(of: #/\]\(([^)#]+)\)/#).map { String($0.1) }.filter {
            !$0.hasPrefix("http")
        }
        #expect(!links.isEmpty)
        for link in links { #expect(SmallFile.read(projectFile(link)) != nil, "\(link) is missing") }
    }

    private func projectFile(_ name: String) -> String {
        #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 } + "/" + name
    }
}
