import Dispatch
import Glibc
import Synchronization
import Wire

/// Takes whole lines from any thread and writes them to a descriptor in the background.
///
/// Whoever hands a line over never waits for the reader at the other end: what does not fit is dropped and counted,
/// and the next line that gets out says how many were lost.
// @unchecked Sendable: everything mutable stands in `state`, under its mutex.
public final class LineWriter: @unchecked Sendable {
    /// The log of the process.
    public static let standardError = LineWriter(descriptor: STDERR_FILENO)

    /// Bytes that may wait for a slow reader; some 30,000 lines.
    public static let waitingBytesMax = 8 << 20
    /// A buffer is handed to the writer when it has grown to this.
    static let bufferBytes = 32 << 10
    private static let spareBuffersMax = 8

    fileprivate struct State {
        var waiting: [ByteWriter] = []
        var waitingBytes = 0
        var open: ByteWriter?
        var spare: [ByteWriter] = []
        var isDraining = false
        var dropped: UInt64 = 0
        var droppedUntold: UInt64 = 0
    }

    private let descriptor: Int32
    private let limit: Int
    private let queue = DispatchQueue(label: "log")
    private let state = Mutex(State())

    public init(descriptor: Int32, limit: Int = LineWriter.waitingBytesMax) {
        self.descriptor = descriptor
        self.limit = limit
    }

    /// Lines lost since the start because the reader was too slow.
    public var droppedLines: UInt64 { state.withLock { $0.dropped } }

    /// Adds one line; the closure writes it with its line feed.
    public func append(_ line: (ByteWriter) -> Void) {
        let mustDrain = state.withLock { state in
            guard state.waitingBytes < limit else {
                state.drop(lines: 1)
                return false
            }
            let buffer = state.openBuffer()
            let before = buffer.count
            line(buffer)
            state.waitingBytes += buffer.count - before
            return state.mustDrain()
        }
        if mustDrain { queue.async { self.drain() } }
    }

    /// Takes a buffer of whole lines over and gives an empty one back.
    public func exchange(_ full: ByteWriter, lines: Int) -> ByteWriter {
        let (empty, mustDrain) = state.withLock { state in
            guard state.waitingBytes < limit else {
                state.drop(lines: lines)
                full.removeAll()
                return (full, false)
            }
            state.closeOpenBuffer()
            state.waiting.append(full)
            state.waitingBytes += full.count
            return (state.emptyBuffer(), state.mustDrain())
        }
        if mustDrain { queue.async { self.drain() } }
        return empty
    }

    /// Waits until what was handed over so far is written; false when it took longer than `limit`.
    @discardableResult
    public func flush(within limit: Duration = .seconds(2)) -> Bool {
        let written = DispatchSemaphore(value: 0)
        queue.async {
            self.drain()
            written.signal()
        }
        let (seconds, atto) = limit.components
        let wait = DispatchTimeInterval.milliseconds(Int(seconds * 1000 + atto / 1_000_000_000_000_000))
        return written.wait(timeout: .now() + wait) == .success
    }

    private func drain() {
        while let buffers = state.withLock({ $0.take() }) {
            for buffer in buffers {
                write(buffer.bytes)
                state.withLock { state in
                    state.waitingBytes -= buffer.count
                    buffer.removeAll()
                    if state.spare.count < Self.spareBuffersMax { state.spare.append(buffer) }
                }
            }
        }
    }

    /// Writes all of it; gives up when nobody can read it any more.
    private func write(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let slice = UnsafeRawBufferPointer(rebasing: rest)
            let count = Glibc.write(descriptor, slice.baseAddress, slice.count)
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&ready, 1, -1)
            } else if errno != EINTR {
                return
            }
        }
    }
}

extension LineWriter.State {
    mutating func drop(lines: Int) {
        dropped += UInt64(lines)
        droppedUntold += UInt64(lines)
    }

    mutating func emptyBuffer() -> ByteWriter {
        spare.popLast() ?? ByteWriter(capacity: LineWriter.bufferBytes + 4096)
    }

    mutating func openBuffer() -> ByteWriter {
        if let open, open.count < LineWriter.bufferBytes { return open }
        closeOpenBuffer()
        let buffer = emptyBuffer()
        open = buffer
        return buffer
    }

    mutating func closeOpenBuffer() {
        if let open { waiting.append(open) }
        open = nil
    }

    mutating func mustDrain() -> Bool {
        defer { isDraining = true }
        return !isDraining
    }

    /// Everything that waits, or nil when there is nothing: then the next line starts the writer again.
    mutating func take() -> [ByteWriter]? {
        closeOpenBuffer()
        if waiting.isEmpty {
            isDraining = false
            return nil
        }
        if droppedUntold > 0 {
            let note = emptyBuffer()
            JSONLine(into: note, level: "warning", message: "log lines were dropped: the reader is too slow")
                .end { $0.number("count", droppedUntold) }
            droppedUntold = 0
            waitingBytes += note.count
            waiting.append(note)
        }
        defer { waiting = [] }
        return waiting
    }
}
