import Testing
import Wire

@testable import Core

@Suite struct CSVTests {
    private func line(_ cells: String...) -> String {
        let out = ByteWriter()
        CSV.write(cells, into: out)
        return out.string
    }

    @Test func `cells are quoted only when they must be`() {
        #expect(
            line("Ada", "a,b", "say \"hi\"", "two\nlines", "")
                == "Ada,\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",\r\n")
    }

    @Test func `a spreadsheet finds no formula`() {
        #expect(line("=HYPERLINK(1)", "+1", "-1", "@x", "a=b") == "'=HYPERLINK(1),'+1,'-1,'@x,a=b\r\n")
    }
}
