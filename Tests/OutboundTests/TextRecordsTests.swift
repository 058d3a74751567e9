import Glibc
import Loop
import Testing

@testable import Outbound

@Suite(.timeLimit(.minutes(1))) struct TextRecordsTests {
    @Test func `name servers that say nothing are waited for no longer than agreed`() async throws {
        let silent = [try SilentServer(), try SilentServer(), try SilentServer()]
        let records = TextRecords(
            servers: try silent.map { try #require(TextRecords.Server("127.0.0.1:\($0.port)")) },
            pool: .names,
            patience: .milliseconds(300))
        let start = ContinuousClock.now
        await #expect(throws: TextRecords.Failure.unreachable) { try await records.of("example.org") }
        let took = ContinuousClock.now - start
        #expect(took >= .milliseconds(250))
        #expect(took < .seconds(3), "each of six questions alone would wait for 1.5 s")
    }

    @Test func `where nothing listens the answer comes at once`() async throws {
        let port: Int
        do { port = try SilentServer().port }
        let records = TextRecords(
            servers: [try #require(TextRecords.Server("127.0.0.1:\(port)"))], pool: .names)
        await #expect(throws: TextRecords.Failure.unreachable) { try await records.of("example.org") }
    }
}

/// A port that takes datagrams and answers none.
private final class SilentServer: Sendable {
    let descriptor: Int32
    let port: Int

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let isOpen = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        try #require(isOpen)
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit { close(descriptor) }
}
