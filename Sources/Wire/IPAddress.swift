import CLinux
import Glibc

/// An address of the Internet, version 4 or 6; a version 4 address written as version 6 (`::ffff:192.0.2.1`) is the
/// version 4 address, so that one machine has one name.
public struct IPAddress: Hashable, Comparable, Sendable {
    /// The 128 bits in host order; version 4 lies in `::ffff:0:0/96`.
    public let high: UInt64
    public let low: UInt64

    @inlinable public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    @inlinable public init(v4 bits: UInt32) { self.init(high: 0, low: 0xFFFF_0000_0000 | UInt64(bits)) }

    @inlinable public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) {
        self.init(v4: UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d))
    }

    @inlinable public var isV4: Bool { high == 0 && low >> 32 == 0xFFFF }

    /// The 32 bits of a version 4 address.
    @inlinable public var v4Bits: UInt32? { isV4 ? UInt32(truncatingIfNeeded: low) : nil }

    /// The address of a socket, as accept(2), getpeername(2) and getaddrinfo(3) tell it; nil for other families.
    public init?(_ address: UnsafePointer<sockaddr>) {
        switch Int32(address.pointee.sa_family) {
        case AF_INET:
            let bits = address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                $0.pointee.sin_addr.s_addr
            }
            self.init(v4: UInt32(bigEndian: bits))
        case AF_INET6:
            self = address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { pointer in
                withUnsafeBytes(of: pointer.pointee.sin6_addr) { raw in
                    IPAddress(
                        high: UInt64(bigEndian: raw.loadUnaligned(as: UInt64.self)),
                        low: UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
                }
            }
        default: return nil
        }
    }

    /// Reads dotted decimal or the colon form of RFC 4291; leading zeros in decimal (octal to some) and zone names
    /// are refused.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        if bytes.contains(UInt8(ascii: ":")) {
            guard let words = Self.words(bytes[...]) else { return nil }
            let halves = words.enumerated().reduce(into: (UInt64(0), UInt64(0))) { halves, word in
                if word.offset < 4 { halves.0 = halves.0 << 16 | UInt64(word.element) }
                if word.offset >= 4 { halves.1 = halves.1 << 16 | UInt64(word.element) }
            }
            self.init(high: halves.0, low: halves.1)
        } else {
            guard let bits = Self.dotted(bytes[...]) else { return nil }
            self.init(v4: bits)
        }
    }

    @inlinable public static func < (left: IPAddress, right: IPAddress) -> Bool {
        left.high != right.high ? left.high < right.high : left.low < right.low
    }

    private static func dotted(_ text: ArraySlice<UInt8>) -> UInt32? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bits: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.count == 1 || part.first != UInt8(ascii: "0") else {
                return nil
            }
            var value: UInt32 = 0
            for digit in part {
                guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
                value = value * 10 + UInt32(digit - UInt8(ascii: "0"))
            }
            guard value <= 255 else { return nil }
            bits = bits << 8 | value
        }
        return bits
    }

    /// The eight words of the colon form.
    private static func words(_ text: ArraySlice<UInt8>) -> [UInt16]? {
        let colon = UInt8(ascii: ":")
        let gap = text.indices.dropLast().first { text[$0] == colon && text[$0 + 1] == colon }
        guard let gap else {
            let words = run(text)
            return words?.count == 8 ? words : nil
        }
        let before = text[..<gap]
        let after = text[(gap + 2)...]
        guard after.first != colon, let head = before.isEmpty ? [] : run(before, mayEndDotted: false),
            let tail = after.isEmpty ? [] : run(after), head.count + tail.count <= 7
        else { return nil }
        return head + [UInt16](repeating: 0, count: 8 - head.count - tail.count) + tail
    }

    /// Words between single colons; the last may be a dotted version 4 address that stands for two.
    private static func run(_ text: ArraySlice<UInt8>, mayEndDotted: Bool = true) -> [UInt16]? {
        var words: [UInt16] = []
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if mayEndDotted, index == parts.count - 1, part.contains(UInt8(ascii: ".")) {
                guard let bits = dotted(part) else { return nil }
                words += [UInt16(bits >> 16), UInt16(truncatingIfNeeded: bits)]
                continue
            }
            guard (1...4).contains(part.count) else { return nil }
            var word: UInt16 = 0
            for digit in part {
                guard let value = Hex.value(of: digit) else { return nil }
                word = word << 4 | UInt16(value)
            }
            words.append(word)
        }
        return words.count <= 8 ? words : nil
    }
}

extension IPAddress: CustomStringConvertible {
    /// The one spelling of RFC 5952: lower case, no leading zeros, the longest run of zeros as `::`.
    public var description: String {
        if let bits = v4Bits {
            return "\(bits >> 24).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)"
        }
        let words = (0..<8).map {
            UInt16(truncatingIfNeeded: ($0 < 4 ? high : low) >> UInt64(48 - $0 % 4 * 16))
        }
        let gap = Self.longestZeros(words)
        func join(_ part: ArraySlice<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard let gap else { return join(words[...]) }
        return join(words[..<gap.lowerBound]) + "::" + join(words[gap.upperBound...])
    }

    private static func longestZeros(_ words: [UInt16]) -> Range<Int>? {
        var best: Range<Int>?
        var start = 0
        while start < words.count {
            var end = start
            while end < words.count, words[end] == 0 { end += 1 }
            if end - start >= 2, end - start > best?.count ?? 0 { best = start..<end }
            start = max(end, start + 1)
        }
        return best
    }
}
