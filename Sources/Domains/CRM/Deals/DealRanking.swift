import Core
import Postgres
import Wire

/// The one order of a stage's deals. Whoever gives out places has the stage's row locked.
enum DealRanking {
    static let order = RankedList(
        "deals", by: "stage_id", thing: "deal", place: "of that stage", lengthMax: DealLimits.rankLengthMax)

    /// Places for these deals in a row, beside another one of the stage.
    @inline(never)
    static func places(
        for deals: [DealSnapshot], _ spot: RankSpot, in place: DealStage, _ company: UUID, _ tx: Transaction
    ) async throws -> [Rank] {
        let ids = deals.map(\.id)
        let gap = try await order.gap(spot, in: place.id, for: ids, company, tx)
        var ranks: [Rank] = []
        for _ in ids { ranks.append(Rank.between(ranks.last ?? gap.low, gap.high)) }
        return ranks
    }
}
