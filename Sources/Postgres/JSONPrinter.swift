import Glibc
import Wire

/// Prints values in PostgreSQL's binary form as JSON, into room the caller has measured with `bound`: no value
/// allocates, nothing is checked twice.
enum JSONPrinter {
    typealias Bytes = UnsafePointer<UInt8>
    typealias Room = UnsafeMutablePointer<UInt8>

    /// The most bytes the value can take.
    static func bound(_ kind: ColumnKind, _ bytes: Bytes, _ length: Int) -> Int {
        if let fixed = kind.fixedBound { return fixed }
        switch kind {
        case .jsonb, .json: return length + 4
        case .bytea: return (length + 2) / 3 * 4 + 2
        case .numeric: return numericBound(bytes)
        case .array: return arrayBound(bytes, length)
        default: return textBound(bytes, length)
        }
    }

    static func print(_ kind: ColumnKind, _ bytes: Bytes, _ length: Int, at out: Room) -> Room {
        switch kind {
        case .text: return text(bytes, length, at: out)
        case .uuid: return uuid(bytes, at: out)
        case .timestamptz: return timestamp(Binary.int64(bytes), zone: true, at: out)
        case .int4: return decimal(Int64(Binary.int32(bytes)), at: out)
        case .int8: return decimal(Binary.int64(bytes), at: out)
        case .bool: return literal(bytes[0] != 0 ? "true" : "false", at: out)
        case .date: return date(Binary.int32(bytes), at: out)
        case .jsonb: return copy(bytes + 1, length - 1, at: out)
        case .json: return copy(bytes, length, at: out)
        case .array: return array(bytes, at: out)
        case .numeric: return numeric(bytes, at: out)
        case .int2: return decimal(Int64(Binary.int16(bytes)), at: out)
        case .oid: return decimal(Int64(UInt32(bitPattern: Binary.int32(bytes))), at: out)
        case .float4: return float(Binary.float4(bytes), at: out)
        case .float8: return float(Binary.float8(bytes), at: out)
        case .timestamp: return timestamp(Binary.int64(bytes), zone: false, at: out)
        case .time: return time(Binary.int64(bytes), at: out)
        case .interval: return interval(bytes, at: out)
        case .bytea: return base64(bytes, length, at: out)
        case .inet: return inet(bytes, at: out)
        case .void: return literal("null", at: out)
        }
    }

    // MARK: pieces

    @inline(__always) static func put(_ byte: Unicode.Scalar, at out: Room) -> Room {
        out.pointee = UInt8(truncatingIfNeeded: byte.value)
        return out + 1
    }

    @inline(__always) static func literal(_ text: StaticString, at out: Room) -> Room {
        memcpy(out, text.utf8Start, text.utf8CodeUnitCount)
        return out + text.utf8CodeUnitCount
    }

    @inline(__always) static func copy(_ bytes: Bytes, _ length: Int, at out: Room) -> Room {
        memcpy(out, bytes, length)
        return out + length
    }

    private static let pairs: StaticString = """
        00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051\
        525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899
        """

    @inline(__always) static func two(_ number: Int, at out: Room) -> Room {
        let pair = pairs.utf8Start + number &* 2
        out[0] = pair[0]
        out[1] = pair[1]
        return out + 2
    }

    @inline(__always) static func decimal(_ number: Int64, at out: Room) -> Room {
        var out = out
        var rest = number.magnitude
        if number < 0 { out = put("-", at: out) }
        if rest < 10 {
            out.pointee = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest)
            return out + 1
        }
        let digits = digitCount(rest)
        var at = out + digits
        while rest >= 10 {
            let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 100)
            at -= 2
            _ = two(Int(truncatingIfNeeded: remainder), at: at)
            rest = quotient
        }
        // An odd number of digits leaves one.
        if at > out { out.pointee = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest) }
        return out + digits
    }

    @inline(__always) private static func digitCount(_ number: UInt64) -> Int {
        var digits = 1
        var rest = number
        while rest >= 10_000 {
            rest /= 10_000
            digits &+= 4
        }
        if rest >= 1000 { return digits &+ 3 }
        if rest >= 100 { return digits &+ 2 }
        return rest >= 10 ? digits &+ 1 : digits
    }

    /// Shortest digits that read back as the same number; JSON has no word for the rest, so they are strings.
    static func float(_ number: some BinaryFloatingPoint & CustomStringConvertible, at out: Room) -> Room {
        if number.isNaN { return literal("\"NaN\"", at: out) }
        if number.isInfinite { return literal(number < 0 ? "\"-Infinity\"" : "\"Infinity\"", at: out) }
        var text = number.description
        return text.withUTF8 { copy($0.baseAddress!, $0.count, at: out) }
    }

    @inline(__always) static func uuid(_ bytes: Bytes, at out: Room) -> Room {
        var out = put("\"", at: out)
        out = hex(bytes, 4, at: out)
        out = put("-", at: out)
        out = hex(bytes + 4, 2, at: out)
        out = put("-", at: out)
        out = hex(bytes + 6, 2, at: out)
        out = put("-", at: out)
        out = hex(bytes + 8, 2, at: out)
        out = put("-", at: out)
        out = hex(bytes + 10, 6, at: out)
        return put("\"", at: out)
    }

    @inline(__always) static func hex(_ bytes: Bytes, _ length: Int, at out: Room) -> Room {
        let digits = ("0123456789abcdef" as StaticString).utf8Start
        var index = 0
        while index < length {
            let byte = Int(bytes[index])
            out[index &* 2] = digits[byte >> 4]
            out[index &* 2 &+ 1] = digits[byte & 15]
            index &+= 1
        }
        return out + length &* 2
    }

    static func base64(_ bytes: Bytes, _ length: Int, at out: Room) -> Room {
        let letters = ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" as StaticString)
            .utf8Start
        var out = put("\"", at: out)
        var index = 0
        while index < length {
            let left = length - index
            let three =
                Int(bytes[index]) << 16 | (left > 1 ? Int(bytes[index + 1]) << 8 : 0)
                | (left > 2 ? Int(bytes[index + 2]) : 0)
            out[0] = letters[three >> 18]
            out[1] = letters[three >> 12 & 63]
            out[2] = left > 1 ? letters[three >> 6 & 63] : UInt8(ascii: "=")
            out[3] = left > 2 ? letters[three & 63] : UInt8(ascii: "=")
            out += 4
            index += 3
        }
        return put("\"", at: out)
    }
}
