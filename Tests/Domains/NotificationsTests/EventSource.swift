import CLinux
import Dispatch
import Glibc
import Synchronization
import TestSupport
import Wire

/// A client of server-sent events over a plain socket, as a browser's would be.
final class EventSource: Sendable {
    struct Event: Sendable, Equatable {
        var id: Int?
        var name = ""
        var data = ""

        var json: JSON { (try? JSON.parse(data)) ?? .null }
    }

    struct Missing: Error { let description: String }

    private struct State {
        var bytes: [UInt8] = []
        var status = 0
        var body: [UInt8] = []
        var text = ""
        var events: [Event] = []
        var isOver = false
    }

    private let socket: Int32
    private let state = Mutex(State())

    init(port: UInt16, path: String = "/v1/notifications/stream", token: String?, lastEventId: Int? = nil)
        throws
    {
        socket = try LoopbackSocket.connect(to: port)
        var head = "GET \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n"
        if let token { head += "Authorization: Bearer \(token)\r\n" }
        if let lastEventId { head += "Last-Event-ID: \(lastEventId)\r\n" }
        let bytes = [UInt8]((head + "\r\n").utf8)
        _ = bytes.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        DispatchQueue(label: "event-source").async { self.read() }
    }

    func close() { shutdown(socket, Int32(SHUT_RDWR)) }

    var status: Int { state.withLock { $0.status } }
    var isOver: Bool { state.withLock { $0.isOver } }
    var events: [Event] { state.withLock { $0.events } }
    /// The numbers of the notifications, in the order they came.
    var numbers: [Int] { events.filter { $0.name == "notification" }.compactMap(\.id) }

    /// The first event of that name that fits.
    @discardableResult
    func event(_ name: String, where fits: @escaping @Sendable (Event) -> Bool = { _ in true }) async throws
        -> Event
    {
        do {
            return try await eventually { self.events.first { $0.name == name && fits($0) } }
        } catch {
            let seen = state.withLock {
                "status \($0.status), over: \($0.isOver), \($0.events), \(String(decoding: $0.bytes, as: UTF8.self))"
            }
            throw Missing(description: "no \(name) came; \(seen)")
        }
    }

    private func read() {
        var room = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(socket, &room, room.count, 0)
            guard count > 0 else { break }
            state.withLock { state in
                state.bytes += room[..<count]
                Self.parse(&state)
            }
        }
        state.withLock { $0.isOver = true }
        Glibc.close(socket)
    }

    private static func parse(_ state: inout State) {
        if state.status == 0 {
            guard let end = find([13, 10, 13, 10], in: state.bytes) else { return }
            let head = String(decoding: state.bytes[..<end], as: UTF8.self)
            state.status = Int(head.split(separator: " ")[1]) ?? 0
            state.bytes.removeFirst(end + 4)
        }
        // Chunks: a size in hexadecimal, the bytes, a line end.
        while let line = find([13, 10], in: state.bytes),
            let size = Int(String(decoding: state.bytes[..<line], as: UTF8.self), radix: 16),
            state.bytes.count >= line + 2 + size + 2
        {
            state.text += String(decoding: state.bytes[(line + 2)..<(line + 2 + size)], as: UTF8.self)
            state.bytes.removeFirst(line + 2 + size + 2)
            if size == 0 { state.isOver = true }
        }
        while let end = state.text.range(of: "\n\n") {
            let block = state.text[..<end.lowerBound]
            state.text = String(state.text[end.upperBound...])
            var event = Event()
            for line in block.split(separator: "\n") {
                if line.hasPrefix("id: ") { event.id = Int(line.dropFirst(4)) }
                if line.hasPrefix("event: ") { event.name = String(line.dropFirst(7)) }
                if line.hasPrefix("data: ") { event.data += line.dropFirst(6) }
            }
            if !event.name.isEmpty { state.events.append(event) }
        }
    }

    private static func find(_ needle: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= needle.count else { return nil }
        return (0...(bytes.count - needle.count)).first {
            bytes[$0..<($0 + needle.count)].elementsEqual(needle)
        }
    }
}

extension String {
    fileprivate func range(of text: String) -> Range<String.Index>? { ranges(of: text).first }
}
