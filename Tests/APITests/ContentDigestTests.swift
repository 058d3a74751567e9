import Testing

@testable import API

@Suite struct ContentDigestTests {
    @Test func `any bit that differs gives another digest`() {
        let content = (0..<100).map { UInt8($0) }
        var seen: Set<UInt64> = []
        for count in 0...content.count {
            seen.insert(content[..<count].withUnsafeBytes { ContentDigest.digest(of: $0) })
        }
        for place in content.indices {
            for bit in 0..<8 {
                var changed = content
                changed[place] ^= 1 << bit
                seen.insert(changed.withUnsafeBytes { ContentDigest.digest(of: $0) })
            }
        }
        #expect(seen.count == 101 + 800)
        #expect(content.withUnsafeBytes { ContentDigest.hex(of: $0) }.count == 16)
    }
}
