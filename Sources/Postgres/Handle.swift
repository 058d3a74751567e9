import CLibPQ

/// The one owner of a libpq connection.
// @unchecked Sendable: handed from the thread that dialled to the loop that uses it; never in two hands at once.
final class Handle: @unchecked Sendable {
    let pg: OpaquePointer
    /// The role to take in each transaction, behind a pooler that keeps no session.
    var roleOfTransactions: String?

    init(owning pg: OpaquePointer) { self.pg = pg }

    deinit { PQfinish(pg) }

    var errorText: String { PQerrorMessage(pg).map { String(cString: $0) } ?? "no message" }
    var isBad: Bool { PQstatus(pg) == CONNECTION_BAD }
}
