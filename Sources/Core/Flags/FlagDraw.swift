import Crypto

/// Where a unit falls in the draw of a flag: the same for ever, wherever it is drawn.
public struct FlagDraw: Sendable, Equatable {
    public static let buckets: UInt64 = 10_000

    /// Decides about shares: the first eight bytes of SHA-256(salt ‖ key ‖ unit), modulo 10000.
    public let bucket: Int
    /// Decides among variants: the next eight bytes of the same digest, so that a growing share moves nobody from one
    /// variant to another.
    public let variantBucket: Int

    public init(salt: String, key: String, unit: String) {
        let digest = SHA256.digest(salt + key + unit).bytes
        bucket = Self.number(digest[0..<8])
        variantBucket = Self.number(digest[8..<16])
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> Int {
        Int(bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } % buckets)
    }

    /// Whether the unit is within a share of so many hundredths of a percent.
    public func isWithin(_ rollout: Int) -> Bool { bucket < rollout }

    /// The weight the unit falls on. The last takes whatever is left, so that no bucket is nobody's.
    func place(in weights: [Int]) -> Int {
        var end = 0
        for (index, weight) in weights.enumerated() {
            end += weight
            if variantBucket < end { return index }
        }
        return weights.count - 1
    }
}
