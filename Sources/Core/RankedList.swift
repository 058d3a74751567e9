import API
import Postgres
import Wire

/// Beside which other thing of an order something goes.
public enum RankSpot: Sendable {
    case before(UUID)
    case after(UUID)

    /// Nil when neither is named; naming both is a fault.
    public init?(before: UUID?, after: UUID?) throws {
        switch (before, after) {
        case (nil, nil): return nil
        case (let other?, nil): self = .before(other)
        case (nil, let other?): self = .after(other)
        case (.some, .some):
            throw Problem.unprocessable("/after", "too-many", "name one of `before` and `after`")
        }
    }

    public var neighbour: UUID {
        switch self {
        case .before(let other), .after(let other): other
        }
    }

    public var pointer: String {
        switch self {
        case .before: "/before"
        case .after: "/after"
        }
    }
}

/// A table whose rows stand in one order within each group of them, by a column `rank`: the tasks of a project, the deals
/// of a stage. Whoever gives out places has the row of the group locked.
public struct RankedList: Sendable {
    public typealias Gap = (low: Rank?, high: Rank?)

    let table: String
    /// The column that names the group.
    let group: String
    /// `task`, as faults call it, and where the neighbour has to be: `of the same project`.
    let thing: String
    let place: String
    /// Ranks that would be longer are dealt anew.
    let lengthMax: Int

    public init(_ table: String, by group: String, thing: String, place: String, lengthMax: Int) {
        self.table = table
        self.group = group
        self.thing = thing
        self.place = place
        self.lengthMax = lengthMax
    }

    /// The ranks on both sides of the spot, with room between them: all are dealt anew when there is none.
    ///
    /// - Parameter one: the thing that moves, when it is one alone: its own place does not count.
    @inline(never)
    public func gap(
        _ spot: RankSpot, in scope: UUID, for moving: [UUID], leavingOut one: UUID? = nil, _ company: UUID,
        _ tx: Transaction
    ) async throws -> Gap {
        if moving.contains(spot.neighbour) {
            throw Problem.unprocessable(spot.pointer, "itself", "is the \(thing) itself")
        }
        if let gap = try await room(spot, scope, one, company, tx) { return gap }
        try await deal(scope, company, tx)
        guard let gap = try await room(spot, scope, one, company, tx) else { throw Problem.notFound }
        return gap
    }

    /// Gives all of a group short ranks again, in the order they have.
    @inline(never)
    public func deal(_ scope: UUID, _ company: UUID, _ tx: Transaction) async throws {
        let rows = try await tx.query("SELECT id FROM \(fragment: members(scope, company)) ORDER BY rank, id")
        let ids = try rows.map { try $0.get("id", as: UUID.self) }
        let ranks = Rank.following(nil, count: ids.count).map(\.text)
        // Two steps, for a rank may be dealt to one while another still has it: `~` sorts after all of them.
        _ = try await tx.batch([
            """
            UPDATE \(unescaped: table) one SET rank = '~' || dealt.rank
              FROM unnest(\(ids)::uuid[], \(ranks)::text[]) AS dealt (id, rank)
             WHERE one.company_id = \(company) AND one.id = dealt.id
            """,
            """
            UPDATE \(unescaped: table) SET rank = substr(rank, 2)
             WHERE company_id = \(company) AND \(unescaped: group) = \(scope) AND rank LIKE '~%'
            """,
        ])
    }

    /// Nil when the ranks there are too long to go between, or are none.
    @inline(never)
    private func room(_ spot: RankSpot, _ scope: UUID, _ one: UUID?, _ company: UUID, _ tx: Transaction)
        async throws -> Gap?
    {
        let members = members(scope, company)
        let own: SQL = "SELECT rank FROM \(fragment: members) AND id = \(spot.neighbour)"
        let beside: SQL =
            switch spot {
            case .before: "rank < (\(fragment: own)) AND id IS DISTINCT FROM \(one)::uuid ORDER BY rank DESC"
            case .after: "rank > (\(fragment: own)) AND id IS DISTINCT FROM \(one)::uuid ORDER BY rank"
            }
        let answers = try await tx.batch([
            own + " AND deleted_at IS NULL",
            "SELECT rank FROM \(fragment: members) AND \(fragment: beside) LIMIT 1",
        ])
        guard let row = answers[0].first else {
            throw Problem.unprocessable(spot.pointer, "not-found", "is no \(thing) \(place)")
        }
        guard let here = try Rank(row.get("rank")) else { return nil }
        var there: Rank?
        if let row = answers[1].first {
            guard let rank = try Rank(row.get("rank")) else { return nil }
            there = rank
        }
        let gap: Gap =
            switch spot {
            case .before: (there, here)
            case .after: (here, there)
            }
        return Rank.between(gap.low, gap.high).text.utf8.count <= lengthMax ? gap : nil
    }

    private func members(_ scope: UUID, _ company: UUID) -> SQL {
        "\(unescaped: table) WHERE company_id = \(company) AND \(unescaped: group) = \(scope)"
    }
}
