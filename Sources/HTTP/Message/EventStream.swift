import Loop
import Wire

/// Writes server-sent events. Used by the one task that makes the answer.
// @unchecked Sendable: for the connection's loop alone.
public final class EventStream: @unchecked Sendable {
    private let out: BodyWriter
    private var ping: LoopTimer?
    private let pingEvery: UInt64

    init(_ out: BodyWriter, pingEvery: Duration, loop: EventLoop) {
        self.out = out
        self.pingEvery = pingEvery.nanoseconds
        ping = loop.timer { [unowned self] in sendPing() }
        armPing()
    }

    /// The server is about to stop: a producer should end; its task is cancelled as well.
    public var isDraining: Bool { out.isDraining }

    /// Sends one event; line ends within `data` are kept, those within `id` and `event` are not allowed.
    public func send(
        event: String? = nil, id: String? = nil, retryMilliseconds: Int? = nil, data: String
    ) async throws {
        let text = ByteWriter(capacity: data.utf8.count + 64)
        if let id { Self.line("id: ", id, text) }
        if let event { Self.line("event: ", event, text) }
        if let retryMilliseconds { Self.line("retry: ", String(retryMilliseconds), text) }
        // CR LF is one Character, so each of the three line ends splits once.
        for line in data.split(omittingEmptySubsequences: false, whereSeparator: Self.endsLine) {
            text.write("data: ")
            text.write(line)
            text.write("\n")
        }
        text.write("\n")
        try await write(text)
    }

    /// Sends a line that clients pass over.
    public func comment(_ comment: String) async throws {
        let text = ByteWriter(capacity: 64)
        Self.line(": ", comment, text)
        text.write("\n")
        try await write(text)
    }

    private func write(_ text: ByteWriter) async throws {
        armPing()
        try await out.write(text)
    }

    private static func line(_ field: StaticString, _ value: String, _ text: ByteWriter) {
        precondition(!value.contains(where: endsLine), "a line end would begin another field")
        text.write(field)
        text.write(value)
        text.write("\n")
    }

    private static func endsLine(_ character: Character) -> Bool {
        character == "\n" || character == "\r" || character == "\r\n"
    }

    private func armPing() { ping?.arm(afterNanoseconds: pingEvery) }

    private func sendPing() {
        guard out.ping(": ping\n\n") else { return }
        armPing()
    }

    func end() {
        ping?.cancel()
        ping = nil
    }
}
