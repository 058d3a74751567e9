import Testing
import Wire

@Suite struct UUIDTests {
    @Test func `each new identifier is greater than the one before, in value and in spelling`() {
        let made = (0..<20_000).map { _ in UUID.v7() }
        #expect(zip(made, made.dropFirst()).allSatisfy { $0 < $1 })
        let texts = made.prefix(2000).map(\.description)
        #expect(texts.sorted() == texts)
    }

    @Test func `tasks side by side never get the same one, and each sees them rise`() async {
        let made = await withTaskGroup(of: [UUID].self) { group in
            for _ in 0..<8 { group.addTask { (0..<3000).map { _ in UUID.v7() } } }
            return await group.reduce(into: [[UUID]]()) { $0.append($1) }
        }
        #expect(Set(made.joined()).count == 24_000)
        #expect(made.allSatisfy { list in zip(list, list.dropFirst()).allSatisfy { $0 < $1 } })
    }

    @Test func `version, variant and time stand where RFC 9562 wants them`() {
        let before = Timestamp.now.microseconds / 1000
        let ids = (0..<1000).map { _ in UUID.v7() }
        // A full millisecond borrows from the next, so the clock of the identifiers may be a little ahead.
        let after = Timestamp.now.microseconds / 1000 + 10
        for id in ids {
            #expect(id.high >> 12 & 0xF == 7)
            #expect(id.low >> 62 == 0b10)
            #expect((before...after).contains(Int64(id.high >> 16)))
        }
        #expect(Set(ids.map(\.low)).count == ids.count)
    }

    @Test func `text and bytes make the round trip`() {
        for _ in 0..<500 {
            let id = UUID(high: .random(in: .min ... .max), low: .random(in: .min ... .max))
            #expect(UUID(id.description) == id)
            #expect(UUID(id.description.uppercased()) == id)
            #expect(id.bytes.withUnsafeBytes { UUID(bytes: $0) } == id)
        }
        #expect(UUID.zero.description == "00000000-0000-0000-0000-000000000000")
        #expect(UUID(high: .max, low: .max).description == "ffffffff-ffff-ffff-ffff-ffffffffffff")
    }

    @Test(arguments: [
        "", "0190a5b0-0000-7000-8000-00000000000", "0190a5b0-0000-7000-8000-0000000000011",
        "0190a5b000007000800000000000000100000", "{190a5b0-0000-7000-8000-00000000001}",
        "0190a5b0_0000_7000_8000_000000000001",
        "g190a5b0-0000-7000-8000-000000000001", " 190a5b0-0000-7000-8000-000000000001",
        "0190a5b0-0000-7000-8000-0000000000é",
        "-190a5b0-0000-7000-8000-000000000001",
    ])
    func `what is no identifier is refused`(text: String) { #expect(UUID(text) == nil) }
}
