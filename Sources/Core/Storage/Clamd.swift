import CLinux
import Glibc
import Loop

/// Has contents looked through by clamd, over its INSTREAM command.
public struct Clamd: Sendable {
    public enum Verdict: Equatable, Sendable {
        case clean
        /// With the name that the signature has.
        case found(String)
    }

    fileprivate enum Place: Sendable {
        case host(String, port: String)
        case socket(String)
    }

    private let place: Place
    private let pool: BlockingPool

    /// - Parameter address: `host:port`, or the path of a socket.
    public init(address: String, pool: BlockingPool) throws(StorageError) {
        self.pool = pool
        if address.hasPrefix("/") {
            place = .socket(address)
        } else if let colon = address.lastIndex(of: ":"),
            UInt16(address[address.index(after: colon)...]) != nil
        {
            place = .host(String(address[..<colon]), port: String(address[address.index(after: colon)...]))
        } else {
            throw .failed("INFINITY_CLAMD must be host:port or the path of a socket")
        }
    }

    /// Looks through what `read` hands over. Throws when clamd cannot say.
    public func scan(
        _ read: (_ take: ([UInt8]) async throws -> Void) async throws -> Void
    ) async throws -> Verdict {
        let (pool, place) = (pool, place)
        let line = try await pool.run {
            let line = try ClamdLine(place.connected())
            try line.send(Array("zINSTREAM\0".utf8))
            return line
        }
        try await read { bytes in
            for start in stride(from: 0, to: bytes.count, by: StorageLimits.scanPieceBytes) {
                let piece = bytes[start..<min(start + StorageLimits.scanPieceBytes, bytes.count)]
                let framed = withUnsafeBytes(of: UInt32(piece.count).bigEndian) { Array($0) } + piece
                try await pool.run { try line.send(framed) }
            }
        }
        let answer = try await pool.run {
            try line.send([0, 0, 0, 0])
            return try line.answer()
        }
        return try Self.verdict(answer)
    }

    /// Nil when clamd answers.
    public func check() async -> String? {
        let place = place
        do {
            let answer = try await pool.run {
                let line = try ClamdLine(place.connected())
                try line.send(Array("zPING\0".utf8))
                return try line.answer()
            }
            return answer == "PONG" ? nil : "clamd answered \(answer)"
        } catch StorageError.failed(let text) {
            return text
        } catch {
            return "\(error)"
        }
    }

    /// `stream: OK`, `stream: Eicar-Test-Signature FOUND`, or that something went wrong.
    private static func verdict(_ answer: String) throws(StorageError) -> Verdict {
        guard answer.hasPrefix("stream: ") else { throw .failed("clamd: \(answer)") }
        let rest = answer.dropFirst("stream: ".count)
        if rest == "OK" { return .clean }
        if rest.hasSuffix(" FOUND") { return .found(String(rest.dropLast(" FOUND".count))) }
        throw .failed("clamd: \(answer)")
    }
}

extension Clamd.Place {
    /// A connected socket. Blocks.
    fileprivate func connected() throws(StorageError) -> Int32 {
        switch self {
        case .socket(let path):
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
                throw .failed("\(path) is too long")
            }
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
            let descriptor = Self.open(AF_UNIX)
            let result = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            if result == 0 { return descriptor }
            defer { close(descriptor) }
            throw .failed("clamd at \(path): \(SystemError.last)")
        case .host(let host, let port):
            var hints = addrinfo()
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
            var list: UnsafeMutablePointer<addrinfo>?
            guard getaddrinfo(host, port, &hints, &list) == 0 else {
                throw .failed("clamd's host \(host) is not known")
            }
            defer { freeaddrinfo(list) }
            var next = list
            while let entry = next {
                let descriptor = Self.open(entry.pointee.ai_family)
                if connect(descriptor, entry.pointee.ai_addr, entry.pointee.ai_addrlen) == 0 {
                    return descriptor
                }
                close(descriptor)
                next = entry.pointee.ai_next
            }
            throw .failed("clamd at \(host):\(port): \(SystemError.last)")
        }
    }

    private static func open(_ family: Int32) -> Int32 {
        let descriptor = Glibc.socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        // Also bounds connecting on Linux.
        var patience = timeval(tv_sec: StorageLimits.scanSeconds, tv_usec: 0)
        for option in [SO_SNDTIMEO, SO_RCVTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
        }
        return descriptor
    }
}

/// One connection to clamd. Its calls block.
private final class ClamdLine: Sendable {
    private let descriptor: Int32

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    func send(_ bytes: [UInt8]) throws(StorageError) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + sent, $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else {
                // What it had to say before it hung up, such as that the stream is longer than it takes.
                let said = (try? answer()) ?? SystemError.last
                throw .failed("clamd: \(said)")
            }
            sent += count
        }
    }

    /// Up to the NUL at its end.
    func answer() throws(StorageError) -> String {
        var text: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 1024)
        while text.count < 4096 {
            let count = recv(descriptor, &room, room.count, 0)
            guard count > 0 else { throw .failed("clamd hung up without an answer") }
            text += room[..<count]
            if let end = text.firstIndex(of: 0) { return String(decoding: text[..<end], as: UTF8.self) }
        }
        throw .failed("clamd answers without an end")
    }
}
