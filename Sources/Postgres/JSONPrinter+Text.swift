import Glibc
import Wire

extension JSONPrinter {
    /// Up to this length a text is taken at its worst, six bytes for one; a longer one is counted.
    private static let countedFrom = 2048

    static func textBound(_ bytes: Bytes, _ length: Int) -> Int {
        if length <= countedFrom { return length * 6 + 2 + 8 }
        var bound = length + 2 + 8
        for index in 0..<length where needsEscape(bytes[index]) { bound += 5 }
        return bound
    }

    /// A JSON string (RFC 8259 section 7); the bytes are UTF-8 already. Eight bytes are looked at and moved at once;
    /// the room is eight bytes longer than the text so that the last move may run over.
    @inline(__always) static func text(_ bytes: Bytes, _ length: Int, at start: Room) -> Room {
        var out = put("\"", at: start)
        var index = 0
        while index &+ 8 <= length {
            let eight = UnsafeRawPointer(bytes + index).loadUnaligned(as: UInt64.self)
            if ByteWriter.needsEscape(eight) {
                for offset in index..<index &+ 8 { out = character(bytes[offset], at: out) }
            } else {
                UnsafeMutableRawPointer(out).storeBytes(of: eight, as: UInt64.self)
                out += 8
            }
            index &+= 8
        }
        while index < length {
            out = character(bytes[index], at: out)
            index &+= 1
        }
        return put("\"", at: out)
    }

    @inline(__always) static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    @inline(__always) static func character(_ byte: UInt8, at out: Room) -> Room {
        if needsEscape(byte) { return escaped(byte, at: out) }
        out.pointee = byte
        return out + 1
    }

    @inline(never) private static func escaped(_ byte: UInt8, at start: Room) -> Room {
        let out = put("\\", at: start)
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            out.pointee = byte
            return out + 1
        case 0x0A: return put("n", at: out)
        case 0x0D: return put("r", at: out)
        case 0x09: return put("t", at: out)
        case 0x08: return put("b", at: out)
        case 0x0C: return put("f", at: out)
        default:
            var control = byte
            return hex(&control, 1, at: literal("u00", at: out))
        }
    }

    /// An array as nested JSON arrays: a header of dimensions, then each element with its length.
    static func array(_ bytes: Bytes, at out: Room) -> Room {
        let dimensions = Int(Binary.int32(bytes))
        if dimensions == 0 { return literal("[]", at: out) }
        let type = UInt32(bitPattern: Binary.int32(bytes + 8))
        // An element type that is not PostgreSQL's own is an enum: what else could be is refused with the result.
        var walk = ArrayWalk(
            kind: ColumnKind.builtIn(type) ?? .text, sizes: bytes + 12, dimensions: dimensions,
            element: bytes + 12 + dimensions * 8)
        return walk.print(dimension: 0, at: out)
    }

    private struct ArrayWalk {
        let kind: ColumnKind
        let sizes: Bytes
        let dimensions: Int
        var element: Bytes

        mutating func print(dimension: Int, at start: Room) -> Room {
            var out = put("[", at: start)
            for index in 0..<Int(Binary.int32(sizes + dimension * 8)) {
                if index > 0 { out = put(",", at: out) }
                out =
                    dimension + 1 < dimensions
                    ? print(dimension: dimension + 1, at: out) : printElement(at: out)
            }
            return put("]", at: out)
        }

        private mutating func printElement(at out: Room) -> Room {
            let length = Int(Binary.int32(element))
            element += 4
            guard length >= 0 else { return literal("null", at: out) }
            defer { element += length }
            return JSONPrinter.print(kind, element, length, at: out)
        }
    }

    static func arrayBound(_ bytes: Bytes, _ length: Int) -> Int {
        let dimensions = Int(Binary.int32(bytes))
        if dimensions == 0 { return 2 }
        let kind = ColumnKind.builtIn(UInt32(bitPattern: Binary.int32(bytes + 8))) ?? .text
        var bound = 2
        // Every row of every dimension has its brackets and comma.
        var rows = 1
        for dimension in 0..<dimensions {
            bound += rows * 3
            rows *= Int(Binary.int32(bytes + 12 + dimension * 8))
        }
        var at = bytes + 12 + dimensions * 8
        for _ in 0..<rows {
            let size = Int(Binary.int32(at))
            at += 4
            bound += 1 + (size < 0 ? 4 : JSONPrinter.bound(kind, at, size))
            if size > 0 { at += size }
        }
        return bound
    }
}
