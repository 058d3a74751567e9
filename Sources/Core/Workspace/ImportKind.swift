import API
import Postgres
import Wire

/// A kind of thing that can be brought in as a table.
///
/// The rows come in batches, each in a transaction that also notes how far the import has come; whatever happens in
/// between, a row is written once. A dry run writes and takes it all back.
public struct ImportKind: Sendable {
    public let kind: String
    public let name: String
    public let permission: Permission
    /// Checks where the rows shall go, as `{"project_id": …}`, and gives it back tidied; throws 422 or 404.
    public let target: @Sendable (_ target: JSON, _ call: Call) async throws -> JSON
    /// What a table may hold, custom fields among it.
    public let columns:
        @Sendable (_ target: JSON, _ company: UUID, _ environment: Environment) async throws -> [ImportColumn]
    /// Writes a batch by few statements, whatever its size; one outcome a row, in their order. What is wrong with a row is
    /// an outcome; a constraint that fails is found by trying halves, so it costs time and is told less well.
    public let write:
        @Sendable (_ rows: [ImportRow], _ run: ImportRun, _ tx: Transaction) async throws -> [ImportOutcome]
    /// Takes back what `write` did to things that are still as it left them: created ones are deleted, changed ones get
    /// `before` back. Gives the ids of those it did so to; the others have changed since and stay.
    public let undo:
        @Sendable (_ rows: [ImportedThing], _ run: ImportRun, _ tx: Transaction) async throws -> [UUID]

    public init(
        _ kind: String, _ name: String, _ permission: Permission,
        target: @escaping @Sendable (_ target: JSON, _ call: Call) async throws -> JSON,
        columns:
            @escaping @Sendable (_ target: JSON, _ company: UUID, _ environment: Environment) async throws ->
            [ImportColumn],
        write:
            @escaping @Sendable (_ rows: [ImportRow], _ run: ImportRun, _ tx: Transaction) async throws ->
            [ImportOutcome],
        undo:
            @escaping @Sendable (_ rows: [ImportedThing], _ run: ImportRun, _ tx: Transaction) async throws ->
            [UUID]
    ) {
        self.kind = kind
        self.name = name
        self.permission = permission
        self.target = target
        self.columns = columns
        self.write = write
        self.undo = undo
    }
}

public struct ImportColumn: Sendable {
    public let key: String
    public let name: String
    public let isRequired: Bool
    public let summary: String
    /// Other headings under which people have it: `Due date`, `deadline`. Case and signs do not matter.
    public let aliases: [String]

    public init(
        _ key: String, _ name: String, isRequired: Bool = false, summary: String, aliases: [String] = []
    ) {
        self.key = key
        self.name = name
        self.isRequired = isRequired
        self.summary = summary
        self.aliases = aliases
    }
}

/// One row of the table, by the keys of the columns. Cells are trimmed; empty ones are absent. What is required is there.
public struct ImportRow: Sendable {
    /// Counted from 1, the heading aside.
    public let n: Int
    public let cells: [String: String]

    public init(n: Int, cells: [String: String]) {
        self.n = n
        self.cells = cells
    }

    public subscript(key: String) -> String? { cells[key] }
}

/// The import that a batch belongs to.
public struct ImportRun: Sendable {
    public let id: UUID
    public let company: UUID
    /// Where to, as `ImportKind.target` gave it back.
    public let target: JSON
    /// Who wants it: the member himself as he stands now.
    public let member: Principal
    public let actor: Audit.Actor
    public let environment: Environment

    public init(
        id: UUID, company: UUID, target: JSON, member: Principal, actor: Audit.Actor, environment: Environment
    ) {
        self.id = id
        self.company = company
        self.target = target
        self.member = member
        self.actor = actor
        self.environment = environment
    }
}

public enum ImportOutcome: Sendable {
    case created(UUID, version: Int)
    /// `before`: what `undo` needs to bring it back.
    case changed(UUID, version: Int, before: JSON)
    /// Nothing to do, and why.
    case skipped(String)
    case failed([ImportFault])
}

public struct ImportFault: Codable, Sendable, Equatable {
    /// The key of the column at fault.
    public let column: String?
    public let code: String
    public let detail: String

    public init(_ column: String?, _ code: String, _ detail: String) {
        self.column = column
        self.code = code
        self.detail = detail
    }
}

/// What an import has made or changed, for its undo.
public struct ImportedThing: Sendable {
    public let id: UUID
    /// Its version when the import had written it.
    public let version: Int
    /// Nil when the import created it.
    public let before: JSON?

    public init(id: UUID, version: Int, before: JSON?) {
        self.id = id
        self.version = version
        self.before = before
    }
}
