import Crypto
import Postgres
import Wire

/// A column of sealed secrets: how its rows are told apart and what each is bound to, so that all of them can be sealed
/// anew when the keys are exchanged.
///
///     SealedColumn("mfa_factors", "secret_sealed", key: "id") { "second factor \($0)" }
public struct SealedColumn: Sendable {
    public let table: String
    public let column: String
    /// The column that names the row, as text; within its company when the table is a tenant's.
    public let key: String
    public let isTenants: Bool
    /// The sealed bytes of a row, and the column's value made of such bytes: both are the column itself, unless it is
    /// wrapped.
    let read: @Sendable () -> SQL
    let write: @Sendable ([UInt8]) -> SQL
    /// What a value is bound to, as it was when it was sealed.
    let context: @Sendable (_ key: String) -> String

    public init(
        _ table: String, _ column: String, key: String, isTenants: Bool = false,
        context: @escaping @Sendable (String) -> String
    ) {
        self.init(
            table, column, key: key, isTenants: isTenants, read: { "\(unescaped: column)" },
            write: { "\($0)::bytea" }, context: context)
    }

    init(
        _ table: String, _ column: String, key: String, isTenants: Bool, read: @escaping @Sendable () -> SQL,
        write: @escaping @Sendable ([UInt8]) -> SQL, context: @escaping @Sendable (String) -> String
    ) {
        self.table = table
        self.column = column
        self.key = key
        self.isTenants = isTenants
        self.read = read
        self.write = write
        self.context = context
    }
}
