import CLibPQ

/// Why the database did not do what was asked. Printed it says nothing a stranger could learn from; `debugText` is for
/// the log.
public struct DatabaseError: Error, Sendable {
    public enum Kind: Sendable, Equatable {
        /// The database cannot be reached or has no room; the same request may work after the pause.
        case unavailable(retryAfter: Duration)
        /// The statement, a lock, or the wait in front of it took longer than allowed.
        case timedOut
        case cancelled
        case constraint(Constraint, name: String, table: String)
        /// Two transactions were in each other's way; the same one may work when run again.
        case serialization
        /// Text the database cannot hold: a NUL, or an escape in JSON that stands for one.
        case invalidText
        /// A value that its column or function does not take: too long, out of range, malformed.
        case invalidValue
        /// Row-level security or a missing privilege refused it.
        case forbidden
        /// An answer that does not have the shape the code expects of it.
        case undecodable
        case other
    }

    public enum Constraint: Sendable {
        case unique, foreignKey, check, notNull, exclusion
    }

    public let kind: Kind
    /// The five characters of SQLSTATE, when the server spoke.
    public let sqlState: String?
    /// The connection was lost after the statement was sent: nobody knows whether it took effect.
    public let isEffectUnknown: Bool
    /// Everything known, for the log: may hold values of the data.
    public let debugText: String

    init(_ kind: Kind, _ debugText: String, sqlState: String? = nil, isEffectUnknown: Bool = false) {
        self.kind = kind
        self.debugText = debugText
        self.sqlState = sqlState
        self.isEffectUnknown = isEffectUnknown
    }

    public var isUnavailable: Bool { if case .unavailable = kind { true } else { false } }

    /// The constraint that refused the change, by name.
    public var constraintName: String? { if case .constraint(_, let name, _) = kind { name } else { nil } }

    static func unavailable(_ debugText: String, isEffectUnknown: Bool = false) -> DatabaseError {
        DatabaseError(
            .unavailable(retryAfter: DatabaseLimits.retryAfter), debugText, isEffectUnknown: isEffectUnknown)
    }

    static func undecodable(_ debugText: String) -> DatabaseError { DatabaseError(.undecodable, debugText) }
}

extension DatabaseError: CustomStringConvertible, CustomDebugStringConvertible {
    public var description: String { "the database did not do what was asked" }
    public var debugDescription: String { sqlState.map { "\($0): \(debugText)" } ?? debugText }
}

extension DatabaseError {
    /// Reads what the server said about a failed statement.
    init(result: OpaquePointer) {
        func field(_ code: Int32) -> String? { PQresultErrorField(result, code).map { String(cString: $0) } }
        let message = PQresultErrorMessage(result).map { String(cString: $0) } ?? "no message"
        // What libpq itself says of a connection that broke carries no SQLSTATE; all that the server says does.
        guard let state = field(Field.sqlState) else {
            self = .unavailable(String(message.prefix(4000)), isEffectUnknown: true)
            return
        }
        let name = field(Field.constraint) ?? field(Field.column) ?? ""
        self.init(
            Self.kind(of: state, name: name, table: field(Field.table) ?? ""),
            String(message.prefix(4000)), sqlState: state, isEffectUnknown: Self.mayHaveActed(state))
    }

    /// A backend that is told to go may have committed just before: it then says farewell instead of "done".
    private static func mayHaveActed(_ state: String) -> Bool {
        state == "57P01" || state == "57P02" || state.hasPrefix("08")
    }

    /// The letters libpq knows the fields of an error by (its macros do not reach Swift).
    private enum Field {
        static let sqlState = Int32(UInt8(ascii: "C"))
        static let table = Int32(UInt8(ascii: "t"))
        static let column = Int32(UInt8(ascii: "c"))
        static let constraint = Int32(UInt8(ascii: "n"))
    }

    /// Groups of SQLSTATE, appendix A of PostgreSQL's manual.
    static func kind(of state: String, name: String, table: String) -> Kind {
        switch state {
        case "23505": .constraint(.unique, name: name, table: table)
        case "23503": .constraint(.foreignKey, name: name, table: table)
        case "23514": .constraint(.check, name: name, table: table)
        case "23502": .constraint(.notNull, name: name, table: table)
        case "23P01": .constraint(.exclusion, name: name, table: table)
        case "40001", "40P01": .serialization
        case "57014", "55P03", "25P03", "25P04": .timedOut
        case "22021", "22P05": .invalidText
        case "42501": .forbidden
        case "25006": .unavailable(retryAfter: DatabaseLimits.retryAfter)
        case let state where state.hasPrefix("22"): .invalidValue
        case let state where state.hasPrefix("08") || state.hasPrefix("53") || state.hasPrefix("57P"):
            .unavailable(retryAfter: DatabaseLimits.retryAfter)
        default: .other
        }
    }

    /// After these the connection is of no more use: the server is going, or has become a standby.
    var endsConnection: Bool {
        guard let sqlState else { return false }
        return sqlState == "25006" || sqlState.hasPrefix("57P") || sqlState.hasPrefix("08")
            || sqlState == "25P03"
    }
}
