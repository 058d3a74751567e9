import API
import Postgres
import Wire

/// A kind of thing that can be taken out as a table.
public struct ExportKind: Sendable {
    /// One column of it, by the name it has in the statement.
    public struct Column: Sendable {
        public let key: String
        /// What stands above it.
        public let name: String

        public init(_ key: String, _ name: String) {
            self.key = key
            self.name = name
        }
    }

    public let kind: String
    public let name: String
    public let permission: Permission
    /// All there are, in their usual order; custom fields among them.
    public let columns: @Sendable (_ member: Principal, _ environment: Environment) async throws -> [Column]
    /// A statement that has a column of each key, each of a type that prints as text: what this member may see of what
    /// the filter asks for.
    public let rows:
        @Sendable (_ filter: JSON, _ sort: String?, _ member: Principal, _ environment: Environment)
            async throws -> SQL
    public let faults: @Sendable (_ filter: JSON, _ sort: String?) -> [Fault]

    /// - Parameters:
    ///   - filter: the struct of the list's own parameters; an export takes the same.
    ///   - base: the list's own statement, with all columns, for this member; `list.statement(over:)` does the rest.
    public init<Filter: ListFilter>(
        _ kind: String, _ name: String, _ permission: Permission, filter: Filter.Type,
        columns:
            @escaping @Sendable (_ member: Principal, _ environment: Environment) async throws -> [Column],
        base:
            @escaping @Sendable (_ list: List<Filter>, _ member: Principal, _ environment: Environment)
            async throws -> SQL
    ) {
        self.kind = kind
        self.name = name
        self.permission = permission
        self.columns = columns
        faults = { List<Filter>.faults(filter: $0, sort: $1) }
        rows = { filter, sort, member, environment in
            let list = try List<Filter>(filter: filter, sort: sort)
            let statement = try await base(list, member, environment)
            return list.statement(over: statement)
        }
    }
}
