import CLibPQ
import Glibc
import Loop
import Wire

/// COPY on a leased connection, which leaves pipeline mode for it. The other side sets the pace: nothing is read while
/// the receiver is busy, nothing is sent that the server has not room for.
///
/// For the loop's thread.
// @unchecked Sendable: touched on its loop's thread alone.
final class Copy: Readiness, @unchecked Sendable {
    private let connection: Connection
    private let loop: EventLoop
    private let pg: OpaquePointer
    private let descriptor: Int32
    private var waiter: UnsafeContinuation<Void, Never>?

    /// The connection is idle; it is given back to its pipeline by `finish`.
    init(_ connection: Connection) throws(DatabaseError) {
        self.connection = connection
        loop = connection.loop
        pg = connection.handle.pg
        descriptor = PQsocket(pg)
        guard !connection.isLost, PQexitPipelineMode(pg) == 1 else {
            throw .unavailable(connection.handle.errorText)
        }
        loop.forget(descriptor)
        loop.watch(descriptor, [], self)
    }

    func finish() {
        wake()
        loop.forget(descriptor)
        connection.resume(isWhole: PQtransactionStatus(pg) != PQTRANS_ACTIVE && PQenterPipelineMode(pg) == 1)
    }

    func ready(_ events: EventLoop.Events) {
        loop.change(descriptor, [])
        wake()
    }

    private func wake() {
        let waiter = waiter
        self.waiter = nil
        waiter?.resume()
    }

    private func wait(for events: EventLoop.Events) async {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                waiter = continuation
                loop.change(descriptor, events)
                if Task.isCancelled { wake() }
            }
        } onCancel: { [self] in
            loop.execute { self.wake() }
        }
    }

    private func checkCancelled() throws(DatabaseError) {
        if Task.isCancelled { throw DatabaseError(.cancelled, "the task was cancelled") }
    }

    // MARK: the exchange

    /// Sends the COPY statement and waits until the server is ready for it.
    func begin(_ sql: SQL, expecting status: ExecStatusType) async throws(DatabaseError) {
        if sql.holdsNUL { throw DatabaseError(.invalidText, "a text holds a NUL") }
        guard PQsendQuery(pg, try literal(sql)) == 1 else { throw .unavailable(connection.handle.errorText) }
        try await flush()
        guard let result = try await result() else { throw .unavailable("the server did not answer COPY") }
        defer { PQclear(result) }
        if PQresultStatus(result) == PGRES_FATAL_ERROR { throw DatabaseError(result: result) }
        guard PQresultStatus(result) == status else {
            throw DatabaseError(.other, "that is no COPY in this direction")
        }
    }

    /// COPY takes no parameters, so its values become literals, quoted by libpq.
    private func literal(_ sql: SQL) throws(DatabaseError) -> String {
        var text: [UInt8] = []
        var rest = Array(sql.text.utf8)[...]
        for (index, item) in sql.bound.enumerated() {
            text += rest[..<item.offset]
            rest = rest[(item.offset + 1 + String(index + 1).utf8.count)...]
            text += try quoted(item.value)
        }
        return String(decoding: text + rest, as: UTF8.self)
    }

    private func quoted(_ value: SQLValue) throws(DatabaseError) -> [UInt8] {
        if case .null = value { return Array("NULL".utf8) }
        let writer = ByteWriter()
        writer.writeText(value)
        let start = writer.bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
        guard let literal = PQescapeLiteral(pg, start, writer.count) else {
            throw DatabaseError(.invalidText, connection.handle.errorText)
        }
        defer { PQfreemem(literal) }
        return Array(UnsafeRawBufferPointer(start: literal, count: strlen(literal)))
    }

    /// The next bytes the server has sent, many rows at once; nil at the end.
    func read() async throws(DatabaseError) -> [UInt8]? {
        var chunk: [UInt8] = []
        while chunk.count < DatabaseLimits.copyChunk {
            try checkCancelled()
            var row: UnsafeMutablePointer<CChar>?
            let length = PQgetCopyData(pg, &row, 1)
            if length > 0, let row {
                chunk.append(contentsOf: UnsafeRawBufferPointer(start: row, count: Int(length)))
                PQfreemem(row)
            } else if length == 0 {
                if !chunk.isEmpty { return chunk }
                await wait(for: .readable)
                guard PQconsumeInput(pg) == 1 else { throw .unavailable(connection.handle.errorText) }
            } else {
                if !chunk.isEmpty { return chunk }
                _ = try await end()
                return nil
            }
        }
        return chunk
    }

    func write(_ bytes: [UInt8]) async throws(DatabaseError) {
        try checkCancelled()
        while true {
            let taken = bytes.withUnsafeBytes {
                PQputCopyData(pg, $0.baseAddress?.assumingMemoryBound(to: CChar.self), Int32($0.count))
            }
            // The server has ended the COPY by itself; why, its result says.
            if taken < 0 {
                _ = try await end()
                throw .unavailable(connection.handle.errorText)
            }
            if taken > 0 { break }
            try await flush()
        }
        try await flush()
    }

    /// Ends what is sent; with a reason, the server undoes it. Gives the number of rows.
    func endWriting(because reason: String?) async throws(DatabaseError) -> Int {
        while PQputCopyEnd(pg, reason) == 0 { try await flush() }
        try await flush()
        return try await end()
    }

    /// Reads the results that close a COPY.
    private func end() async throws(DatabaseError) -> Int {
        var rows = 0
        var failure: DatabaseError?
        while let result = try await result() {
            defer { PQclear(result) }
            if PQresultStatus(result) == PGRES_FATAL_ERROR {
                failure = failure ?? DatabaseError(result: result)
            } else {
                rows = Int(String(cString: PQcmdTuples(result))) ?? 0
            }
        }
        if let failure { throw failure }
        return rows
    }

    private func result() async throws(DatabaseError) -> OpaquePointer? {
        while PQisBusy(pg) == 1 {
            try checkCancelled()
            await wait(for: .readable)
            guard PQconsumeInput(pg) == 1 else { throw .unavailable(connection.handle.errorText) }
        }
        return PQgetResult(pg)
    }

    private func flush() async throws(DatabaseError) {
        while case let left = PQflush(pg), left != 0 {
            if left < 0 { throw .unavailable(connection.handle.errorText) }
            // The server may have something to say before it takes more.
            await wait(for: [.readable, .writable])
            guard PQconsumeInput(pg) == 1 else { throw .unavailable(connection.handle.errorText) }
            try checkCancelled()
        }
    }
}
