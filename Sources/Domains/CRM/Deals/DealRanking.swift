import API
import Core
import Postgres
import Wire

/// The one order of a stage's deals. Whoever gives out places has the stage's row locked.
enum DealRanking {
    /// Places for these deals in a row, beside another one of the stage.
    @inline(never)
    static func places(
        for deals: [DealSnapshot], _ spot: DealWriting.Spot, in place: DealStage, _ company: UUID,
        _ tx: Transaction
    ) async throws -> [Rank] {
        let ids = deals.map(\.id)
        if ids.contains(spot.neighbour) {
            throw Problem.unprocessable(spot.pointer, "itself", "is the deal itself")
        }
        var gap = try await gap(spot, place.id, company, tx)
        if gap == nil {
            try await DealStage.deal(place.id, company, tx)
            gap = try await self.gap(spot, place.id, company, tx)
        }
        guard let gap else { throw Problem.notFound }
        var ranks: [Rank] = []
        for _ in ids { ranks.append(Rank.between(ranks.last ?? gap.low, gap.high)) }
        return ranks
    }

    /// The ranks on both sides of the spot; nil when they are too long to go between.
    @inline(never)
    private static func gap(
        _ spot: DealWriting.Spot, _ stage: UUID, _ company: UUID, _ tx: Transaction
    ) async throws -> (low: Rank?, high: Rank?)? {
        let own: SQL = """
            SELECT rank FROM deals WHERE company_id = \(company) AND stage_id = \(stage) AND id = \(spot.neighbour)
            """
        let beside: SQL
        switch spot {
        case .before: beside = "rank < (\(fragment: own)) ORDER BY rank DESC"
        case .after: beside = "rank > (\(fragment: own)) ORDER BY rank"
        }
        let answers = try await tx.batch([
            own + " AND deleted_at IS NULL",
            """
            SELECT rank FROM deals WHERE company_id = \(company) AND stage_id = \(stage) AND \(fragment: beside) LIMIT 1
            """,
        ])
        guard let row = answers[0].first else {
            throw Problem.unprocessable(spot.pointer, "not-found", "is no deal of that stage")
        }
        guard let here = try Rank(row.get("rank")) else { return nil }
        var there: Rank?
        if let row = answers[1].first {
            guard let rank = try Rank(row.get("rank")) else { return nil }
            there = rank
        }
        let gap: (low: Rank?, high: Rank?)
        switch spot {
        case .before: gap = (there, here)
        case .after: gap = (here, there)
        }
        return Rank.between(gap.low, gap.high).text.utf8.count <= DealLimits.rankLengthMax ? gap : nil
    }
}
