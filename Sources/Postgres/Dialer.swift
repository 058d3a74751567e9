import CLibPQ
import Glibc
import Loop

/// Opens connections, and cancels what runs on them, away from the loops: a dial may wait for a name server, and the
/// password exchange of SCRAM burns milliseconds.
final class Dialer: Sendable {
    private let pool: BlockingPool
    private let deadline: Duration

    init(deadline: Duration) {
        self.deadline = deadline
        pool = BlockingPool(
            label: "database-dial", workers: DatabaseLimits.dialers, queueLimit: DatabaseLimits.dialQueue)
    }

    func stop() { pool.stop() }

    /// Opens a connection; `done` is called on the loop's thread.
    func dial(
        _ target: Target, for loop: EventLoop,
        _ done: @escaping @Sendable (Result<Handle, DatabaseError>) -> Void
    ) {
        let accepted = pool.submit { [deadline] in
            let result: Result<Handle, DatabaseError>
            do throws(DatabaseError) {
                result = .success(try target.connect(within: deadline))
            } catch {
                result = .failure(error)
            }
            loop.execute { done(result) }
        }
        if !accepted {
            loop.execute { done(.failure(.unavailable("too many connections are being opened"))) }
        }
    }

    /// Asks the server to stop what runs on the connection; called on the thread that uses it.
    func cancel(_ handle: Handle) {
        guard let ticket = PQgetCancel(handle.pg) else { return }
        let cancellation = Cancellation(owning: ticket)
        _ = pool.submit { cancellation.send() }
    }

    // @unchecked Sendable: a PGcancel is a copy of what is needed, made to be used from another thread.
    private final class Cancellation: @unchecked Sendable {
        private let ticket: OpaquePointer
        init(owning ticket: OpaquePointer) { self.ticket = ticket }
        deinit { PQfreeCancel(ticket) }

        func send() {
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { reason in
                _ = PQcancel(ticket, reason.baseAddress, 256)
            }
        }
    }
}
