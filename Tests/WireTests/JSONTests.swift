import Testing
import Wire

@Suite struct JSONTests {
    private func fault(_ text: String, _ limits: JSON.Limits = .init()) -> JSON.SyntaxError? {
        fault(Array(text.utf8), limits)
    }

    private func fault(_ bytes: [UInt8], _ limits: JSON.Limits = .init()) -> JSON.SyntaxError? {
        do throws(JSON.SyntaxError) { _ = try JSON.parse(bytes, limits: limits) } catch { return error }
        return nil
    }

    @Test func `a text comes back as it was written, numbers digit by digit`() throws {
        let text =
            #"{"a":[1,-0.10,1e400,123456789012345678901234567890],"b":{"c":null,"d":[true,false]},"e":"é\n\"\\😀"}"#
        #expect(try JSON.parse(text).description == text)
    }

    @Test func `escapes are undone, surrogate pairs joined`() throws {
        #expect(try JSON.parse(#""\u0041\/\ud83d\ude00\b\f\t""#) == .string("A/😀\u{8}\u{C}\t"))
    }

    @Test(arguments: [
        ("", 0), ("  ", 2), ("[1,]", 3), ("[1 2]", 3), ("{\"a\":1,}", 7), ("{a:1}", 1), ("01", 0), ("-", 0),
        ("1.", 0),
        ("1e", 0), (".5", 0), ("tru", 0), ("nul", 0), ("[1]x", 3), ("\"a", 2), ("\"\\x\"", 1),
        ("\"\\u12g4\"", 1),
        ("\"a\\u0000b\"", 2), ("\"\\ud800\"", 1), ("\"\\udc00\\ud800\"", 1), ("\"\\ud800\\u0041\"", 1),
        ("\"\u{1}\"", 1), ("{\"a\":1,\"b\":2,\"a\":3}", 13), ("NaN", 0), ("\u{FEFF}1", 0), ("{\"a\" 1}", 5),
    ])
    func `what is no JSON is refused at its byte`(text: String, offset: Int) {
        #expect(fault(text)?.offset == offset, "\(String(describing: fault(text)))")
    }

    @Test(
        arguments: [
            [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xFF], [0xC3], [0xF4, 0x90, 0x80, 0x80], [0xE0, 0x80, 0x80],
        ] as [[UInt8]])
    func `bytes that are no UTF-8 are refused`(bytes: [UInt8]) {
        #expect(fault([0x22, 0x61] + bytes + [0x22])?.offset == 2)
        #expect(fault([0x22, 0x5C, 0x6E] + bytes + [0x22])?.offset == 3)
    }

    @Test func `the hundredth member may not repeat the first`() {
        let members = (0..<100).map { "\"k\($0)\":0" }.joined(separator: ",")
        #expect(fault("{\(members)}") == nil)
        #expect(fault("{\(members),\"k0\":1}") != nil)
        #expect(fault("{\(members),\"k57\":1}") != nil)
    }

    @Test func `depth, values and bytes have limits`() {
        var limits = JSON.Limits()
        (limits.depth, limits.values, limits.bytes) = (3, 5, 40)
        #expect(fault("[[[1]]]", limits) == nil)
        #expect(fault("[[[[1]]]]", limits)?.offset == 3)
        #expect(fault("[1,2,3,4]", limits) == nil)
        #expect(fault("[1,2,3,4,5]", limits)?.offset == 9)
        #expect(fault("\"" + String(repeating: "x", count: 40) + "\"", limits)?.offset == 40)
        #expect(fault(String(repeating: "[", count: 1_000_000)) != nil)
    }

    @Test func `a number is whole when its value is`() throws {
        func whole(_ text: String) throws -> Int? { try JSON.parse(text).intValue }
        #expect(try whole("12") == 12)
        #expect(try whole("-12.00") == -12)
        #expect(try whole("1.5e1") == 15)
        #expect(try whole("120e-1") == 12)
        #expect(try whole("1.5") == nil)
        #expect(try whole("-0.0") == 0)
        #expect(try whole("9223372036854775807") == Int.max)
        #expect(try whole("9223372036854775808") == nil)
        #expect(try whole("1e999999999") == nil)
    }

    struct Person: Codable, Equatable {
        struct Place: Codable, Equatable { var cityName: String }
        var fullName: String
        var age: Int?
        var bornOn: LocalDate?
        var placesLived: [Place]
        var notesByTopic: [String: Int]
        var extra: JSON
    }

    @Test func `a struct goes out in snake_case and comes back the same`() throws {
        let person = Person(
            fullName: "Ada \"L\"", age: nil, bornOn: LocalDate("1815-12-10"),
            placesLived: [.init(cityName: "London")],
            notesByTopic: ["camelCase": 1], extra: ["a": [1, nil]])
        let writer = ByteWriter()
        try writer.writeJSON(person)
        #expect(
            writer.string
                == #"{"full_name":"Ada \"L\"","age":null,"born_on":"1815-12-10","places_lived":[{"city_name":"London"}],"notes_by_topic":{"camelCase":1},"extra":{"a":[1,null]}}"#
        )
        #expect(try JSON.parse(writer.string).decode(Person.self) == person)
    }

    struct Change: Decodable { var name: String?; var note: String?? }

    @Test func `null and absent are told apart by a double optional`() throws {
        let absent = try JSON.parse("{}").decode(Change.self)
        #expect(absent.note == nil)
        let cleared = try JSON.parse(#"{"note":null}"#).decode(Change.self)
        #expect(cleared.note == .some(nil))
        let given = try JSON.parse(#"{"note":"x"}"#).decode(Change.self)
        #expect(given.note == "x")
    }

    @Test func `what does not fit is told with its place`() throws {
        let json = try JSON.parse(
            #"{"full_name":"A","places_lived":[{"city_name":1}],"notes_by_topic":{},"extra":1}"#)
        do {
            _ = try json.decode(Person.self)
            Issue.record("was taken")
        } catch DecodingError.typeMismatch(_, let context) {
            #expect(JSON.pointer(to: context.codingPath) == "/places_lived/0/city_name")
        }
    }

    @Test func `snake case puts an underscore before each capital`() {
        #expect(SnakeCase.of("ownerId") == "owner_id")
        #expect(SnakeCase.of("plain") == "plain")
        #expect(SnakeCase.of("aBC") == "a_b_c")
    }
}
