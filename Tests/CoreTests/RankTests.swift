import Core
import Testing

@Suite struct RankTests {
    private func isInOrder(_ ranks: [Rank]) -> Bool { zip(ranks, ranks.dropFirst()).allSatisfy { $0 < $1 } }

    @Test func `appending a hundred thousand keeps keys short and in order`() {
        let ranks = Rank.following(nil, count: 100_000)
        #expect(isInOrder(ranks))
        #expect(ranks.allSatisfy { $0.text.utf8.count <= 5 })
    }

    @Test func `putting first a hundred thousand times keeps keys short and in order`() {
        var ranks = [Rank.first]
        for _ in 0..<100_000 { ranks.append(Rank.between(nil, ranks.last)) }
        #expect(isInOrder(ranks.reversed()))
        #expect(ranks.allSatisfy { $0.text.utf8.count <= 5 })
    }

    @Test func `there is always room between two, also after a thousand halvings on either side`() {
        for goesUp in [true, false] {
            var (low, high) = (Rank.first, Rank.between(Rank.first, nil))
            for _ in 0..<1000 {
                let middle = Rank.between(low, high)
                #expect(low < middle && middle < high)
                #expect(Rank(middle.text) == middle)
                if goesUp { low = middle } else { high = middle }
            }
        }
    }

    @Test func `any sequence of insertions leaves one order without equals`() {
        var random = SystemRandomNumberGenerator()
        var ranks: [Rank] = []
        for _ in 0..<5000 {
            let place = Int.random(in: 0...ranks.count, using: &random)
            let low = place > 0 ? ranks[place - 1] : nil
            let high = place < ranks.count ? ranks[place] : nil
            ranks.insert(Rank.between(low, high), at: place)
        }
        #expect(isInOrder(ranks))
    }

    @Test(arguments: ["", "a", "b0", "a0Z0", "a-1", "~a0", "0a", "a00", "aé"])
    func `a text that is no rank is refused`(_ text: String) {
        #expect(Rank(text) == nil)
    }
}
