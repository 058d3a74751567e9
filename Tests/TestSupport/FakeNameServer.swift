import CLinux
import Glibc
import Synchronization
import TestCluster

/// A name server on a free port that knows TXT records: by UDP, and whole by TCP what would not fit.
public final class FakeNameServer: Sendable {
    private let records = Mutex<[String: [String]]>([:])
    private let isSilent = Mutex(false)
    public let port: Int
    private let udp: Int32
    private let tcp: Int32

    public init() throws {
        port = TestCluster.freePort()
        udp = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        tcp = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        for descriptor in [udp, tcp] {
            let bound = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard bound == 0 else {
                throw Client.Failure(description: "no port for the name server: \(errno)")
            }
        }
        listen(tcp, 8)
        Self.run { [weak self] in self?.answerDatagram() ?? false }
        Self.run { [weak self] in self?.answerStream() ?? false }
    }

    deinit {
        close(udp)
        shutdown(tcp, Int32(SHUT_RDWR))
        close(tcp)
    }

    public var setting: String { "127.0.0.1:\(port)" }

    public func say(_ texts: [String], at name: String) { records.withLock { $0[name.lowercased()] = texts } }
    public func beSilent(_ silent: Bool) { isSilent.withLock { $0 = silent } }

    private static func run(_ round: @escaping @Sendable () -> Bool) {
        let work = Unmanaged.passRetained(Work(round))
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                let work = Unmanaged<Work>.fromOpaque(context).takeRetainedValue()
                while work.round() {}
                return nil
            }, work.toOpaque())
        pthread_detach(thread)
    }

    private final class Work: Sendable {
        let round: @Sendable () -> Bool
        init(_ round: @escaping @Sendable () -> Bool) { self.round = round }
    }

    private func answerDatagram() -> Bool {
        var question = [UInt8](repeating: 0, count: 512)
        var peer = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let count = withUnsafeMutablePointer(to: &peer) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                recvfrom(udp, &question, question.count, 0, $0, &length)
            }
        }
        guard count > 12 else { return count >= 0 }
        if isSilent.withLock({ $0 }) { return true }
        var answer = self.answer(to: Array(question.prefix(count)))
        if answer.count > 512 {
            answer = Array(answer.prefix(count))
            answer[2] |= 0x02
            answer[7] = 0
        }
        _ = withUnsafePointer(to: &peer) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(udp, answer, answer.count, 0, $0, length)
            }
        }
        return true
    }

    private func answerStream() -> Bool {
        let client = accept(tcp, nil, nil)
        guard client >= 0 else { return false }
        defer { close(client) }
        var head = [UInt8](repeating: 0, count: 514)
        let count = recv(client, &head, head.count, 0)
        guard count > 14 else { return true }
        let answer = self.answer(to: Array(head[2..<count]))
        let message = [UInt8(answer.count >> 8), UInt8(answer.count & 0xFF)] + answer
        send(client, message, message.count, Int32(MSG_NOSIGNAL))
        return true
    }

    private func answer(to question: [UInt8]) -> [UInt8] {
        var labels: [String] = []
        var at = 12
        while at < question.count, question[at] != 0 {
            let length = Int(question[at])
            labels.append(
                String(decoding: question[at + 1..<min(question.count, at + 1 + length)], as: UTF8.self))
            at += 1 + length
        }
        let texts = records.withLock { $0[labels.joined(separator: ".").lowercased()] }
        var out =
            question.prefix(2) + [
                0x81, texts == nil ? 0x83 : 0x80, 0, 1, 0, UInt8(texts?.count ?? 0), 0, 0, 0, 0,
            ]
        out += question[12..<at + 5]
        for text in texts ?? [] {
            // In pieces of at most 255, as the format wants; the name is a pointer to the question's.
            var data: [UInt8] = []
            var rest = Array(text.utf8)[...]
            repeat {
                let piece = rest.prefix(200)
                data += [UInt8(piece.count)] + piece
                rest = rest.dropFirst(200)
            } while !rest.isEmpty
            out +=
                [0xC0, 12, 0, 16, 0, 1, 0, 0, 0, 60, UInt8(data.count >> 8), UInt8(data.count & 0xFF)] + data
        }
        return Array(out)
    }
}
