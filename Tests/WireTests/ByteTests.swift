import Testing
import Wire

@Suite struct ByteTests {
    private func printed(_ write: (ByteWriter) -> Void) -> String {
        let out = ByteWriter()
        write(out)
        return out.string
    }

    @Test func `whole numbers are printed to their last digit`() {
        var numbers: [Int64] = [.min, .min + 1, -1, 0, 1, .max - 1, .max]
        var power: Int64 = 1
        for _ in 0..<18 {
            power *= 10
            numbers += [power - 1, power, power + 1, -power + 1, -power, -power - 1]
        }
        for number in numbers { #expect(printed { $0.write(number) } == String(number)) }
        #expect(printed { $0.write(UInt64.max) } == "18446744073709551615")
        #expect(printed { $0.write(Int8.min) } == "-128")
        #expect(printed { $0.write(Int32.min) } == "-2147483648")
        #expect(printed { $0.write(Int128.min) } == String(Int128.min))
        #expect(printed { $0.write(UInt16.max) } == "65535")
    }

    @Test func `padded numbers keep their width`() {
        #expect(printed { $0.writePadded(7, width: 2) } == "07")
        #expect(printed { $0.writePadded(0, width: 6) } == "000000")
        #expect(printed { $0.writePadded(999_999, width: 6) } == "999999")
    }

    @Test func `a writer grows under any mixture of writes`() {
        let out = ByteWriter(capacity: 1)
        var expected: [UInt8] = []
        for round in 0..<2000 {
            let piece = [UInt8](repeating: UInt8(truncatingIfNeeded: round), count: round % 97)
            out.write(piece)
            expected += piece
            out.write(UInt8(truncatingIfNeeded: round))
            expected.append(UInt8(truncatingIfNeeded: round))
            out.write(round)
            expected += Array(String(round).utf8)
            out.write(Substring("é"))
            expected += [0xC3, 0xA9]
            out.fill(3) { room in
                room.copyBytes(from: [1, 2, 3])
                return round % 4
            }
            expected += [1, 2, 3].prefix(round % 4)
        }
        #expect(out.array == expected)
        out.truncate(to: 10)
        #expect(out.array == [UInt8](expected.prefix(10)))
        out.removeAll()
        #expect(out.isEmpty)
        out.write("")
        out.write([UInt8]())
        #expect(out.array == [])
    }

    @Test func `a JSON string escapes what it must and nothing else`() {
        for scalar in (0..<0x300).compactMap(Unicode.Scalar.init) {
            let text = "a" + String(scalar) + "b"
            let expected: String =
                switch scalar {
                case "\"": "\\\""
                case "\\": "\\\\"
                case "\n": "\\n"
                case "\r": "\\r"
                case "\t": "\\t"
                case "\u{8}": "\\b"
                case "\u{C}": "\\f"
                case _ where scalar.value < 0x20:
                    "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
                default: String(scalar)
                }
            #expect(printed { $0.writeJSONString(text) } == "\"a" + expected + "b\"")
        }
        #expect(printed { $0.writeJSONString("") } == "\"\"")
        #expect(printed { $0.writeJSONString("\u{1F600}\u{2028}") } == "\"\u{1F600}\u{2028}\"")
    }

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func `base64 is that of RFC 4648`(text: String, encoded: String) {
        #expect(Base64.encode(text.utf8) == encoded)
        #expect(Base64.decode(encoded) == Array(text.utf8))
        let bare = encoded.filter { $0 != "=" }
        #expect(Base64.encode(text.utf8, .url) == bare)
        #expect(Base64.decode(bare, .url) == Array(text.utf8))
    }

    @Test func `any bytes make the round trip in either alphabet`() {
        for length in 0..<200 {
            let bytes = (0..<length).map { _ in UInt8.random(in: .min ... .max) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
            #expect(Base64.decode(Base64.encode(bytes, .url), .url) == bytes)
            #expect(Hex.decode(Hex.encode(bytes)) == bytes)
        }
    }

    @Test func `each run of bytes has one spelling in base64`() {
        // All texts of two and three letters: whatever is read must be what would be written.
        let letters = Array("AQgwZ_-+/=9")
        var wrong: [String] = []
        for first in letters {
            for second in letters {
                for third in letters + [" "] {
                    for fourth in letters + [" "] {
                        let text = String([first, second, third, fourth].filter { $0 != " " })
                        if let bytes = Base64.decode(text), Base64.encode(bytes) != text {
                            wrong.append(text)
                        }
                        if let bytes = Base64.decode(text, .url), Base64.encode(bytes, .url) != text {
                            wrong.append(text)
                        }
                    }
                }
            }
        }
        #expect(wrong == [])
    }

    @Test(arguments: [
        "Zg", "Zg=", "Zg===", "Zh==", "Zm9", "Zm9=", "Z", "====", "=", "Zm9v\n", " Zm9v", "Zm9v=", "Zm-v",
        "Zm9vé", "Zg==Zg==",
    ])
    func `base64 with a flaw is refused`(text: String) { #expect(Base64.decode(text) == nil) }

    @Test(arguments: ["Zg==", "Zh", "Z", "Zm+v", "Zm/v", "Zm9v=", "Z g"])
    func `base64 of URLs with a flaw is refused`(text: String) { #expect(Base64.decode(text, .url) == nil) }

    @Test(arguments: ["a", "0g", "0x", " 0", "é"])
    func `what is no hexadecimal is refused`(text: String) { #expect(Hex.decode(text) == nil) }
}
