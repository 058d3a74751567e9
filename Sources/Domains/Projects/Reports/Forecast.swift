import Wire

/// When so much work will be done, foretold by drawing days of the past at random, many times over.
struct Forecast: Sendable, Equatable {
    /// For each run the days it took; those that took too long are left out.
    let daysTaken: [Int]
    let runs: Int

    /// - Parameters:
    ///   - throughput: how many tasks were completed on each day of the past, idle days included.
    ///   - seed: the same seed gives the same forecast.
    init(remaining: Int, throughput: [Int], runs: Int, seed: UInt64, daysMax: Int) {
        var draw = SplitMix(seed)
        self.runs = runs
        guard remaining > 0, throughput.contains(where: { $0 > 0 }) else {
            daysTaken = remaining <= 0 ? [Int](repeating: 0, count: runs) : []
            return
        }
        daysTaken = (0..<runs).compactMap { _ in
            var (left, days) = (remaining, 0)
            while left > 0, days < daysMax {
                left -= throughput[Int(draw.next().multipliedFullWidth(by: UInt64(throughput.count)).high)]
                days += 1
            }
            return left > 0 ? nil : days
        }.sorted()
    }

    /// The number of days within which so many of a hundred runs were done; nil when fewer were done at all.
    func days(forShare percent: Int) -> Int? {
        let rank = (percent * runs + 99) / 100
        return rank <= daysTaken.count ? daysTaken[max(rank, 1) - 1] : nil
    }

    /// How many of a hundred runs were done within so many days.
    func share(within days: Int) -> Double {
        Double(daysTaken.prefix { $0 <= days }.count) / Double(runs) * 100
    }
}

/// SplitMix64: small, quick, and the same on every machine.
struct SplitMix: RandomNumberGenerator, Sendable {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
