import CLinux
import Synchronization

/// An identifier: 128 bits, written in the 8-4-4-4-12 form of RFC 9562 in lower case.
public struct UUID: Hashable, Comparable, Sendable {
    public let high: UInt64
    public let low: UInt64

    @inlinable public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The sixteen bytes in network order.
    @inlinable public init?(bytes: UnsafeRawBufferPointer) {
        guard bytes.count == 16 else { return nil }
        high = UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self))
        low = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }

    /// Reads the 36-character form, upper or lower case; anything else is nil.
    public init?(_ text: some StringProtocol) {
        var text = String(text)
        guard let id = text.withUTF8({ UUID(text: UnsafeRawBufferPointer($0)) }) else { return nil }
        self = id
    }

    public init?(text: UnsafeRawBufferPointer) {
        guard text.count == 36 else { return nil }
        var halves: (UInt64, UInt64) = (0, 0)
        var digits = 0
        for (index, byte) in text.enumerated() {
            if index == 8 || index == 13 || index == 18 || index == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard let value = Hex.value(of: byte) else { return nil }
            if digits < 16 {
                halves.0 = halves.0 << 4 | UInt64(value)
            } else {
                halves.1 = halves.1 << 4 | UInt64(value)
            }
            digits += 1
        }
        (high, low) = halves
    }

    public static let zero = UUID(high: 0, low: 0)

    @inlinable public static func < (left: UUID, right: UUID) -> Bool {
        left.high != right.high ? left.high < right.high : left.low < right.low
    }

    /// The sixteen bytes in network order.
    public var bytes: [UInt8] {
        withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { [UInt8]($0) }
    }

    /// A new identifier that sorts by its time of making (version 7, RFC 9562 section 5.7): within one process each
    /// is greater than the one before, also inside one millisecond.
    public static func v7() -> UUID {
        maker.withLock { maker in
            let now = UInt64(Timestamp.now.microseconds / 1000) << 16 | 0x7000
            let random = (maker.randomBits(), maker.randomBits())
            // The 12 bits beside the version count up within a millisecond (method 1 of section 6.2).
            let high = now > maker.last ? now | (random.0 & 0x3FF) : next(maker.last)
            maker.last = high
            return UUID(high: high, low: random.1 & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
        }
    }

    private static let maker = Mutex(Maker())

    private struct Maker {
        var last: UInt64 = 0
        private var pool = [UInt64](repeating: 0, count: Maker.poolCount)
        private var used = Maker.poolCount

        /// Asking for 64 identifiers' worth at once makes one cost no system call.
        private static let poolCount = 128

        mutating func randomBits() -> UInt64 {
            if used == Self.poolCount {
                pool.withUnsafeMutableBytes { room in
                    while getrandom(room.baseAddress, room.count, 0) != room.count {}
                }
                used = 0
            }
            defer { used += 1 }
            return pool[used]
        }
    }

    /// The next value of the counter; when its 12 bits are used up, the millisecond is borrowed from the future.
    private static func next(_ last: UInt64) -> UInt64 {
        last & 0xFFF == 0xFFF ? (last >> 16 + 1) << 16 | 0x7000 : last + 1
    }
}

extension UUID: CustomStringConvertible, LosslessStringConvertible {
    public var description: String {
        let writer = ByteWriter(capacity: 64)
        writer.write(self)
        return writer.string
    }

    public init?(_ description: String) {
        var text = description
        guard let id = text.withUTF8({ UUID(text: UnsafeRawBufferPointer($0)) }) else { return nil }
        self = id
    }
}

extension UUID: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let id = UUID(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "is not a UUID")
        }
        self = id
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension UUID {
    /// Lends the 36 characters, without a string or an allocation.
    public func withText<Value>(_ body: (UnsafeRawBufferPointer) throws -> Value) rethrows -> Value {
        try withUnsafeTemporaryAllocation(byteCount: 36, alignment: 1) { room in
            print(into: room)
            return try body(UnsafeRawBufferPointer(room))
        }
    }

    fileprivate func print(into room: UnsafeMutableRawBufferPointer) {
        let out = room.baseAddress!.assumingMemoryBound(to: UInt8.self)
        Self.hex(high >> 32, 8, out)
        out[8] = UInt8(ascii: "-")
        Self.hex(high >> 16, 4, out + 9)
        out[13] = UInt8(ascii: "-")
        Self.hex(high, 4, out + 14)
        out[18] = UInt8(ascii: "-")
        Self.hex(low >> 48, 4, out + 19)
        out[23] = UInt8(ascii: "-")
        Self.hex(low, 12, out + 24)
    }

    /// The last `digits` hexadecimal digits of `bits`.
    @inline(__always)
    private static func hex(_ bits: UInt64, _ digits: Int, _ out: UnsafeMutablePointer<UInt8>) {
        let letters = ("0123456789abcdef" as StaticString).utf8Start
        var rest = bits
        var at = digits
        while at > 0 {
            at &-= 1
            out[at] = letters[Int(rest & 15)]
            rest >>= 4
        }
    }
}

extension ByteWriter {
    public func write(_ id: UUID) {
        fill(36) { room in
            id.print(into: room)
            return 36
        }
    }
}
