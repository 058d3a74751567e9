// Both have the constants of sockets; which of them the compiler takes them from depends on the order of the build.
import CCurl
import CLinux
import Glibc
import Loop
import Wire

/// Asks the domain name system for the texts that stand under a name, on the threads for blocking work.
///
/// The system's resolver functions cannot be pointed at a port and hide what went wrong, so the question is put here:
/// by UDP, and once more by TCP when the answer was cut off (RFC 1035, 7766).
public struct TextRecords: Sendable {
    public enum Failure: Error, Equatable {
        /// No server answered in time.
        case unreachable
        /// A server answered that it cannot say.
        case refused(code: Int)
    }

    /// `192.0.2.53` or `192.0.2.53:5353`, `[2001:db8::53]:5353`.
    public struct Server: Sendable, Equatable {
        let host: String
        let port: String

        public init?(_ text: String) {
            if let address = IPAddress(text) {
                (host, port) = (address.description, "53")
                return
            }
            guard let colon = text.lastIndex(of: ":"), UInt16(text[text.index(after: colon)...]) != nil else {
                return nil
            }
            var name = text[..<colon]
            if name.hasPrefix("["), name.hasSuffix("]") { name = name.dropFirst().dropLast() }
            guard let address = IPAddress(String(name)) else { return nil }
            (host, port) = (address.description, String(text[text.index(after: colon)...]))
        }
    }

    private let servers: [Server]
    private let pool: BlockingPool

    private let patience: Duration

    /// - Parameters:
    ///   - servers: none means those of /etc/resolv.conf.
    ///   - patience: for all servers and tries of one question together.
    public init(servers: [Server], pool: BlockingPool, patience: Duration = OutboundLimits.nameQuestion) {
        self.servers = servers
        self.patience = patience
        self.pool = pool
    }

    /// The texts under `name`; none when the name does not exist or has none.
    public func of(_ name: String) async throws -> [String] {
        try await pool.run { [servers, patience] in
            var failure = Failure.unreachable
            let end = ContinuousClock.now + patience
            for server in servers.isEmpty ? Self.system() : servers {
                do throws(Failure) {
                    return try Self.ask(server, name, until: end)
                } catch {
                    failure = error
                }
            }
            throw failure
        }
    }

    private static func system() -> [Server] {
        guard let file = fopen("/etc/resolv.conf", "re") else { return [] }
        defer { fclose(file) }
        var servers: [Server] = []
        var line = [CChar](repeating: 0, count: 512)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let words = text.split(whereSeparator: \.isWhitespace)
            if words.count >= 2, words[0] == "nameserver", let server = Server(String(words[1])) {
                servers.append(server)
            }
        }
        return Array(servers.prefix(OutboundLimits.nameServersAsked))
    }

    private static func ask(_ server: Server, _ name: String, until end: ContinuousClock.Instant)
        throws(Failure) -> [String]
    {
        let id = UInt16.random(in: .min ... .max)
        guard let question = TextQuestion(name, id: id) else { return [] }
        for _ in 0..<OutboundLimits.nameQuestionTries {
            guard let answer = exchange(server, question, isStream: false, until: end) else { continue }
            var message = answer
            if TextAnswer.isCutOff(answer) {
                guard let whole = exchange(server, question, isStream: true, until: end) else { continue }
                message = whole
            }
            guard let parsed = TextAnswer(message, to: question) else { continue }
            if parsed.code == 0 || parsed.code == 3 { return parsed.texts }
            throw .refused(code: parsed.code)
        }
        throw .unreachable
    }

    private static func exchange(
        _ server: Server, _ question: TextQuestion, isStream: Bool, until end: ContinuousClock.Instant
    )
        -> [UInt8]?
    {
        guard let descriptor = connected(to: server, isStream: isStream, until: end) else { return nil }
        defer { close(descriptor) }
        let length = withUnsafeBytes(of: UInt16(question.bytes.count).bigEndian, Array.init)
        let message = isStream ? length + question.bytes : question.bytes
        guard send(descriptor, message, message.count, Int32(MSG_NOSIGNAL)) == message.count else {
            return nil
        }
        guard isStream else {
            // Strangers may send here too; what is no answer to this question is passed over, for a while.
            for _ in 0..<8 {
                guard wait(on: descriptor, until: end), let answer = receive(descriptor, upTo: 4096) else {
                    return nil
                }
                if TextAnswer.isTo(question, answer) { return answer }
            }
            return nil
        }
        guard let head = receive(descriptor, exactly: 2, until: end) else { return nil }
        return receive(descriptor, exactly: Int(head[0]) << 8 | Int(head[1]), until: end)
    }

    /// Connected, so that only the server's own answers come in.
    private static func connected(to server: Server, isStream: Bool, until end: ContinuousClock.Instant)
        -> Int32?
    {
        var hints = addrinfo()
        hints.ai_socktype = Int32((isStream ? SOCK_STREAM : SOCK_DGRAM).rawValue)
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(server.host, server.port, &hints, &list) == 0, let list else { return nil }
        defer { freeaddrinfo(list) }
        let entry = list.pointee
        let descriptor = socket(entry.ai_family, entry.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        guard wait(on: descriptor, until: end), connect(descriptor, entry.ai_addr, entry.ai_addrlen) == 0
        else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    /// Has what follows on the socket give up after the time of one answer, or at the end of all time; false past that.
    private static func wait(on descriptor: Int32, until end: ContinuousClock.Instant) -> Bool {
        let rest = min(end - .now, OutboundLimits.nameAnswer)
        // No time at all would mean for ever.
        guard rest >= .milliseconds(1) else { return false }
        let (seconds, atto) = rest.components
        var pause = timeval(tv_sec: Int(seconds), tv_usec: Int(atto / 1_000_000_000_000))
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &pause, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &pause, size)
        return true
    }

    private static func receive(_ descriptor: Int32, upTo limit: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = recv(descriptor, &bytes, limit, 0)
        return count > 0 ? Array(bytes.prefix(count)) : nil
    }

    private static func receive(_ descriptor: Int32, exactly count: Int, until end: ContinuousClock.Instant)
        -> [UInt8]?
    {
        var all: [UInt8] = []
        while all.count < count {
            guard wait(on: descriptor, until: end), let piece = receive(descriptor, upTo: count - all.count)
            else { return nil }
            all += piece
        }
        return all
    }
}
