import Postgres
import Wire

/// The port by which a company gets principals that are no person: accounts nobody can sign in to.
public struct ServiceUsers: Sendable {
    /// Makes one and gives back its id.
    public let make: @Sendable (_ name: String, _ company: UUID) -> (id: UUID, sql: SQL)
    public let rename: @Sendable (_ id: UUID, _ name: String) -> SQL
    /// Ends all those of these ids; what they did stays on record under their id.
    public let retire: @Sendable (_ ids: [UUID]) -> SQL

    public init(
        make: @escaping @Sendable (String, UUID) -> (id: UUID, sql: SQL),
        rename: @escaping @Sendable (UUID, String) -> SQL, retire: @escaping @Sendable ([UUID]) -> SQL
    ) {
        self.make = make
        self.rename = rename
        self.retire = retire
    }
}
