import Testing

@testable import Core

@Suite struct CSVReaderTests {
    private func read(
        _ bytes: [UInt8], _ delimiter: Character = ",", _ encoding: TextEncoding = .utf8, piece: Int = 1
    ) -> [CSVReader.Record] {
        var reader = CSVReader(
            delimiter: delimiter.asciiValue!, encoding: encoding, cellBytesMax: 20, cellsMax: 4)
        var records: [CSVReader.Record] = []
        for start in stride(from: 0, to: bytes.count, by: piece) {
            reader.feed(Array(bytes[start..<min(start + piece, bytes.count)])) { records.append($0) }
        }
        reader.finish { records.append($0) }
        return records
    }

    @Test(arguments: [1, 2, 3, 100])
    func `quotes, line ends and empty lines are read however the bytes come`(piece: Int) {
        let text = "a,\"b \"\"x\"\"\r\nc\",\r\n\r\n\"\",d\re\n\"open"
        let cells = read(Array(text.utf8), piece: piece).map(\.cells)
        #expect(cells == [["a", "b \"x\"\r\nc", ""], ["", "d"], ["e"], ["open"]])
    }

    @Test func `a mark at the beginning is no part of the first cell`() {
        #expect(read([0xEF, 0xBB, 0xBF] + Array("id;x".utf8), ";").map(\.cells) == [["id", "x"]])
        let wide = Array("ä😀,b".utf16).flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        #expect(read([0xFF, 0xFE] + wide, ",", .utf16LittleEndian).map(\.cells) == [["ä😀", "b"]])
    }

    @Test func `what is no text of its encoding, or too long, breaks its record alone`() {
        let records = read(
            Array("a,".utf8) + [0xFF] + Array("\nb,c\n".utf8)
                + Array("x,\(String(repeating: "y", count: 30))\n1,2,3,4,5".utf8))
        #expect(records.map(\.isBroken) == [true, false, true, true])
    }

    @Test func `encoding and delimiter are guessed`() {
        #expect(TextEncoding.guessed(from: Array("Köln".utf8.dropLast())) == .utf8)
        #expect(TextEncoding.guessed(from: Array("Kö".utf8.dropLast())) == .utf8)
        #expect(TextEncoding.guessed(from: [0x4B, 0xF6, 0x6C, 0x6E, 0x20, 0x20]) == .windows1252)
        #expect(read([0x80, 0xF6], ",", .windows1252).map(\.cells) == [["€ö"]])
        func guess(_ text: String) -> UInt8 {
            CSVReader.guessedDelimiter(Array(text.utf8), encoding: .utf8, isWhole: true)
        }
        #expect(guess("name;price\na;1,5\nb;2,5") == UInt8(ascii: ";"))
        #expect(guess("a\tb\n\"x,y\"\tz") == UInt8(ascii: "\t"))
        #expect(guess("one\ntwo") == UInt8(ascii: ","))
    }
}
