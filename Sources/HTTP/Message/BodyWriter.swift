import Loop
import Wire

/// The client is gone, or took too long to read.
public struct ClientGone: Error {}

/// Writes the body of a streamed answer. Used by the one task that makes the answer.
// @unchecked Sendable: for the connection's loop alone.
public final class BodyWriter: @unchecked Sendable {
    private var connection: Connection?

    init(_ connection: Connection) { self.connection = connection }

    /// Sends a piece; waits while the client is behind by more than the limit.
    public func write(_ bytes: [UInt8]) async throws {
        try bytes.withUnsafeBytes { try put($0) }
        try await room()
    }

    public func write(_ text: String) async throws {
        var text = text
        try text.withUTF8 { try put(UnsafeRawBufferPointer($0)) }
        try await room()
    }

    /// Sends what the writer holds; it stays the caller's.
    public func write(_ writer: ByteWriter) async throws {
        try put(writer.bytes)
        try await room()
    }

    /// The server is about to stop; a stream without end should end now.
    public var isDraining: Bool { connection?.home.isDraining ?? true }

    var loop: EventLoop? { connection?.home.loop }
    var pingEvery: Duration { connection?.limits.eventPing ?? .seconds(15) }

    /// Sends a comment to a client that keeps up; one that does not gets nothing more to read. False when it is gone.
    func ping(_ comment: StaticString) -> Bool {
        guard let connection else { return false }
        if !connection.unsent.isEmpty { return true }
        let bytes = UnsafeRawBufferPointer(start: comment.utf8Start, count: comment.utf8CodeUnitCount)
        return (try? connection.writeStream(bytes)) != nil
    }

    private func put(_ bytes: UnsafeRawBufferPointer) throws {
        guard let connection else { throw ClientGone() }
        try connection.writeStream(bytes)
    }

    private func room() async throws {
        guard let connection else { throw ClientGone() }
        try await connection.streamRoom()
    }

    func close() { connection = nil }
}
