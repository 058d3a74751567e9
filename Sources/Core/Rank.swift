/// A place in an order that always has room between two others: a text that sorts by its bytes.
///
/// It is a whole number, whose first letter tells how many digits follow, and a fraction: appending counts the number
/// up and stays short, putting something between two others makes the fraction longer.
public struct Rank: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let text: String

    public var description: String { text }

    public static func < (left: Rank, right: Rank) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }

    public static let first = Rank(unchecked: "a0")

    private init(unchecked text: String) { self.text = text }

    /// Nil when the text is no rank.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard let head = bytes.first, let digits = Self.digitCount(of: head), bytes.count > digits,
            bytes.dropFirst().allSatisfy({ Self.value(of: $0) != nil }),
            bytes.count == digits + 1 || bytes.last != Self.zero
        else { return nil }
        self.text = text
    }

    /// A rank between two others; nil stands for the ends. The first must be the smaller.
    public static func between(_ low: Rank?, _ high: Rank?) -> Rank {
        switch (low, high) {
        case (nil, nil): return first
        case (let low?, nil): return low.next
        case (nil, let high?): return high.previous
        case (let low?, let high?):
            precondition(low < high, "ranks out of order")
            let (from, to) = (low.parts, high.parts)
            if from.whole == to.whole {
                return Rank(from.whole, middle(from.fraction, to.fraction))
            }
            if let next = counted(from.whole, by: 1), Rank(next, []) < high { return Rank(next, []) }
            return Rank(from.whole, middle(from.fraction, nil))
        }
    }

    /// So many ranks after one, in order.
    public static func following(_ last: Rank?, count: Int) -> [Rank] {
        var ranks: [Rank] = []
        ranks.reserveCapacity(count)
        for _ in 0..<count { ranks.append(between(ranks.last ?? last, nil)) }
        return ranks
    }

    // MARK: digits

    private static let zero = UInt8(ascii: "0")
    private static let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    private static func value(of byte: UInt8) -> Int? {
        switch byte {
        case 0x30...0x39: Int(byte) - 0x30
        case 0x41...0x5A: Int(byte) - 0x41 + 10
        case 0x61...0x7A: Int(byte) - 0x61 + 36
        default: nil
        }
    }

    /// `a` has one digit, `b` two and so on; below zero `Z` has one, `Y` two: so longer numbers sort after or before.
    private static func digitCount(of head: UInt8) -> Int? {
        switch head {
        case 0x61...0x7A: Int(head) - 0x61 + 1
        case 0x41...0x5A: 0x5A - Int(head) + 1
        default: nil
        }
    }

    private init(_ whole: [UInt8], _ fraction: [UInt8]) {
        text = String(decoding: whole + fraction, as: UTF8.self)
    }

    private var parts: (whole: [UInt8], fraction: [UInt8]) {
        let bytes = Array(text.utf8)
        let length = 1 + (Self.digitCount(of: bytes[0]) ?? 0)
        return (Array(bytes[..<length]), Array(bytes[length...]))
    }

    private var next: Rank {
        let (whole, fraction) = parts
        return Self.counted(whole, by: 1).map { Rank($0, []) } ?? Rank(whole, Self.middle(fraction, nil))
    }

    private var previous: Rank {
        let (whole, fraction) = parts
        if !fraction.isEmpty { return Rank(whole, []) }
        return Self.counted(whole, by: -1).map { Rank($0, []) } ?? Rank(whole, Self.middle([], fraction))
    }

    /// The number one higher or lower; nil at the end of all numbers.
    private static func counted(_ whole: [UInt8], by step: Int) -> [UInt8]? {
        var number = whole
        for index in stride(from: number.count - 1, to: 0, by: -1) {
            let value = Self.value(of: number[index])! + step
            if (0..<62).contains(value) {
                number[index] = digits[value]
                return number
            }
            number[index] = step > 0 ? digits[0] : digits[61]
        }
        // All digits have turned over: the head moves on, and the number has a digit more or less.
        let head = whole[0]
        switch (head, step) {
        case (0x5A, 1): return Array("a0".utf8)
        case (0x61, -1): return Array("Zz".utf8)
        case (0x7A, 1), (0x41, -1): return nil
        default:
            let moved = UInt8(Int(head) + step)
            return [moved]
                + Array(repeating: step > 0 ? digits[0] : digits[61], count: digitCount(of: moved)!)
        }
    }

    /// A fraction between two, without zeros at its end; nil above stands for one.
    private static func middle(_ low: [UInt8], _ high: [UInt8]?) -> [UInt8] {
        var result: [UInt8] = []
        var place = 0
        var ceiling = high
        while true {
            let below = place < low.count ? value(of: low[place])! : 0
            let above = ceiling.map { place < $0.count ? value(of: $0[place])! : 0 } ?? 62
            if above - below > 1 {
                result.append(digits[(below + above) / 2])
                return result
            }
            result.append(digits[below])
            // One apart: whatever follows here is below the ceiling already.
            if above > below { ceiling = nil }
            place += 1
        }
    }
}
