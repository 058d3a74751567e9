import Glibc

/// Bytes being written: grows as needed, lends them without a copy, and prints the values of the house as they
/// stand on the wire.
///
/// A class, so that a body goes from the handler that wrote it to the socket without being copied.
// @unchecked Sendable: a writer has one holder at a time; it is handed over, never shared.
public final class ByteWriter: @unchecked Sendable {
    @usableFromInline var base: UnsafeMutablePointer<UInt8>
    @usableFromInline var capacity: Int
    public internal(set) final var count: Int {
        @inlinable get { _count }
        set { _count = newValue }
    }
    @usableFromInline var _count = 0

    public init(capacity: Int = 512) {
        self.capacity = max(capacity, 64)
        base = .allocate(capacity: self.capacity)
    }

    deinit { base.deallocate() }

    @inlinable public var isEmpty: Bool { _count == 0 }
    @inlinable public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: _count) }

    public var array: [UInt8] { [UInt8](bytes) }
    public var string: String { String(decoding: bytes, as: UTF8.self) }

    public func removeAll() { _count = 0 }

    /// Takes back what was written past `length`.
    public func truncate(to length: Int) { _count = min(length, _count) }

    /// Makes room for `extra` more bytes, so that what follows can be written without asking again.
    @inlinable public func reserve(_ extra: Int) {
        if _count + extra > capacity { grow(extra) }
    }

    @usableFromInline @inline(never) func grow(_ extra: Int) {
        let wanted = max(capacity * 2, _count + extra)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: wanted)
        larger.update(from: base, count: _count)
        base.deallocate()
        base = larger
        capacity = wanted
    }

    /// Lends at least `length` writable bytes; the closure returns how many of them it filled.
    @inlinable public func fill(_ length: Int, _ body: (UnsafeMutableRawBufferPointer) throws -> Int) rethrows
    {
        reserve(length)
        _count += try body(UnsafeMutableRawBufferPointer(start: base + _count, count: capacity - _count))
    }

    @inlinable public func write(_ byte: UInt8) {
        reserve(1)
        base[_count] = byte
        _count &+= 1
    }

    @inlinable public func write(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, bytes.count > 0 else { return }
        reserve(bytes.count)
        memcpy(base + _count, start, bytes.count)
        _count &+= bytes.count
    }

    @inlinable public func write(_ text: StaticString) {
        write(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    @inlinable public func write(_ text: String) {
        var text = text
        text.withUTF8 { write(UnsafeRawBufferPointer($0)) }
    }

    @inlinable public func write(_ text: Substring) {
        var text = text
        text.withUTF8 { write(UnsafeRawBufferPointer($0)) }
    }

    @inlinable public func write(_ bytes: [UInt8]) { bytes.withUnsafeBytes { write($0) } }
    @inlinable public func write(_ bytes: ArraySlice<UInt8>) { bytes.withUnsafeBytes { write($0) } }

    /// Writes a whole number in decimal.
    @inlinable public func write<Number: FixedWidthInteger>(_ number: Number) {
        if let value = Int64(exactly: number) { writeDecimal(value) } else { write(String(number)) }
    }

    @usableFromInline func writeDecimal(_ number: Int64) {
        reserve(20)
        var magnitude = number.magnitude
        if number < 0 { base[_count] = UInt8(ascii: "-"); _count += 1 }
        var digits = 1
        var limit: UInt64 = 10
        while digits < 19, magnitude >= limit { digits += 1; limit &*= 10 }
        if magnitude >= 1_000_000_000_000_000_000 { digits = 19 }
        var at = _count + digits
        _count = at
        repeat {
            at -= 1
            base[at] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: magnitude % 10)
            magnitude /= 10
        } while magnitude > 0
    }

    /// Writes a number with leading zeros to a fixed width.
    @inlinable public func writePadded(_ number: Int, width: Int) {
        reserve(width)
        var rest = number
        var at = _count + width
        _count = at
        for _ in 0..<width {
            at -= 1
            base[at] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }

    /// Writes a JSON string, quotes included (RFC 8259 section 7). The bytes are UTF-8 already.
    public func writeJSONString(_ bytes: UnsafeRawBufferPointer) {
        reserve(bytes.count + 2)
        write(UInt8(ascii: "\""))
        var run = 0
        var index = 0
        while index < bytes.count {
            // Eight at once as long as none of them needs an escape, which is nearly always.
            if index &+ 8 <= bytes.count,
                !Self.needsEscape(bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            {
                index &+= 8
                continue
            }
            if Self.needsEscape(bytes[index]) {
                write(UnsafeRawBufferPointer(rebasing: bytes[run..<index]))
                run = index + 1
                writeEscaped(bytes[index])
            }
            index &+= 1
        }
        write(UnsafeRawBufferPointer(rebasing: bytes[run...]))
        write(UInt8(ascii: "\""))
    }

    public func writeJSONString(_ text: String) {
        var text = text
        text.withUTF8 { writeJSONString(UnsafeRawBufferPointer($0)) }
    }

    @inline(__always) private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    /// Whether one of eight bytes is below 0x20, a quote or a backslash: the borrow of each subtraction shows in the high
    /// bit of its byte, which must not have been set before.
    @inline(__always) public static func needsEscape(_ eight: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quote = eight ^ (ones &* 0x22)
        let backslash = eight ^ (ones &* 0x5C)
        let found = (eight &- ones &* 0x20) | (quote &- ones) | (backslash &- ones)
        return found & ~eight & (ones &* 0x80) != 0
    }

    private func writeEscaped(_ byte: UInt8) {
        write(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): write(byte)
        case 0x0A: write(UInt8(ascii: "n"))
        case 0x0D: write(UInt8(ascii: "r"))
        case 0x09: write(UInt8(ascii: "t"))
        case 0x08: write(UInt8(ascii: "b"))
        case 0x0C: write(UInt8(ascii: "f"))
        default:
            write("u00")
            write(Hex.digits[Int(byte >> 4)])
            write(Hex.digits[Int(byte & 15)])
        }
    }
}
