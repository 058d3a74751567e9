import Glibc

extension JSONPrinter {
    /// An exact number: groups of four decimal digits (`weight` of the first), a sign, and how many digits of the
    /// fraction to show.
    static func numeric(_ bytes: Bytes, at start: Room) -> Room {
        let groups = Int(Binary.int16(bytes))
        let weight = Int(Binary.int16(bytes + 2))
        let sign = UInt16(bitPattern: Binary.int16(bytes + 4))
        let scale = Int(Binary.int16(bytes + 6))
        switch sign {
        case 0xC000: return literal("\"NaN\"", at: start)
        case 0xD000: return literal("\"Infinity\"", at: start)
        case 0xF000: return literal("\"-Infinity\"", at: start)
        default: break
        }
        func group(_ index: Int) -> Int {
            index >= 0 && index < groups ? Int(Binary.int16(bytes + 8 + index * 2)) : 0
        }
        var out = sign == 0x4000 ? put("-", at: start) : start
        if weight < 0 {
            out = put("0", at: out)
        } else {
            out = decimal(Int64(group(0)), at: out)
            for index in 0..<weight { out = four(group(index + 1), at: out) }
        }
        guard scale > 0 else { return out }
        out = put(".", at: out)
        var written = 0
        var index = weight + 1
        while written < scale {
            _ = four(group(index), at: out)
            let taken = min(4, scale - written)
            out += taken
            written += taken
            index += 1
        }
        return out
    }

    static func numericBound(_ bytes: Bytes) -> Int {
        // Up to three digits of the last group are written and then taken back.
        (max(0, Int(Binary.int16(bytes + 2))) + 1) * 4 + Int(Binary.int16(bytes + 6)) + 3 + 16
    }

    @inline(__always) private static func four(_ number: Int, at out: Room) -> Room {
        two(number % 100, at: two(number / 100, at: out))
    }

    /// An address, with its prefix length when it names a network: family, bits, whether it is a `cidr`, size, bytes.
    static func inet(_ bytes: Bytes, at start: Room) -> Room {
        let isIPv4 = bytes[0] == UInt8(AF_INET)
        var out = put("\"", at: start)
        let room = UnsafeMutableRawPointer(out).assumingMemoryBound(to: CChar.self)
        inet_ntop(isIPv4 ? AF_INET : AF_INET6, bytes + 4, room, socklen_t(INET6_ADDRSTRLEN))
        out += strlen(room)
        if bytes[2] != 0 || bytes[1] != (isIPv4 ? 32 : 128) {
            out = decimal(Int64(bytes[1]), at: put("/", at: out))
        }
        return put("\"", at: out)
    }
}
