import Glibc
import Wire

/// Reads numbers as the server sends them: most significant byte first, at any address.
enum Binary {
    @inline(__always) static func int16(_ at: UnsafePointer<UInt8>) -> Int16 {
        Int16(bigEndian: UnsafeRawPointer(at).loadUnaligned(as: Int16.self))
    }
    @inline(__always) static func int32(_ at: UnsafePointer<UInt8>) -> Int32 {
        Int32(bigEndian: UnsafeRawPointer(at).loadUnaligned(as: Int32.self))
    }
    @inline(__always) static func int64(_ at: UnsafePointer<UInt8>) -> Int64 {
        Int64(bigEndian: UnsafeRawPointer(at).loadUnaligned(as: Int64.self))
    }
    @inline(__always) static func uint64(_ at: UnsafePointer<UInt8>) -> UInt64 {
        UInt64(bigEndian: UnsafeRawPointer(at).loadUnaligned(as: UInt64.self))
    }
    @inline(__always) static func float4(_ at: UnsafePointer<UInt8>) -> Float {
        Float(bitPattern: UInt32(bitPattern: int32(at)))
    }
    @inline(__always) static func float8(_ at: UnsafePointer<UInt8>) -> Double {
        Double(bitPattern: uint64(at))
    }

    /// PostgreSQL counts days and microseconds from 2000-01-01.
    static let epochDays = 10_957
    static let epochMicroseconds: Int64 = 946_684_800_000_000
}

/// One value of a result, where it lies.
struct BinaryValue {
    let bytes: UnsafePointer<UInt8>
    let length: Int
    let type: UInt32
    let kind: ColumnKind

    var raw: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes, count: length) }

    var string: String? {
        switch kind {
        case .text, .json: String(decoding: raw, as: UTF8.self)
        case .jsonb: String(decoding: raw.dropFirst(), as: UTF8.self)
        case .uuid, .date, .time, .timestamp, .timestamptz, .interval, .inet, .numeric: printedUnquoted
        case .bool, .int2, .int4, .int8, .oid, .float4, .float8, .bytea, .array, .void: nil
        }
    }

    var integer: Int64? {
        switch kind {
        case .int2: Int64(Binary.int16(bytes))
        case .int4: Int64(Binary.int32(bytes))
        case .oid: Int64(UInt32(bitPattern: Binary.int32(bytes)))
        case .int8: Binary.int64(bytes)
        case .numeric: Int64(printedUnquoted)
        case .bool, .float4, .float8, .text, .json, .jsonb, .bytea, .uuid, .date, .time, .timestamp,
            .timestamptz,
            .interval, .inet, .array, .void:
            nil
        }
    }

    var double: Double? {
        switch kind {
        case .float4: Double(Binary.float4(bytes))
        case .float8: Binary.float8(bytes)
        case .numeric: Double(printedUnquoted)
        default: integer.map(Double.init)
        }
    }

    var bool: Bool? { kind == .bool ? bytes[0] != 0 : nil }

    var uuid: UUID? {
        switch kind {
        case .uuid: UUID(bytes: raw)
        case .text: UUID(text: raw)
        default: nil
        }
    }

    var timestamp: Timestamp? {
        kind == .timestamptz || kind == .timestamp
            ? Timestamp(microseconds: Binary.int64(bytes) &+ Binary.epochMicroseconds) : nil
    }

    var date: LocalDate? {
        kind == .date ? LocalDate(daysSince1970: Int(Binary.int32(bytes)) + Binary.epochDays) : nil
    }

    /// The bytes of a `bytea`.
    var byteArray: [UInt8]? { kind == .bytea ? [UInt8](raw) : nil }

    /// The JSON text of a `json` or `jsonb` value.
    var json: UnsafeRawBufferPointer? {
        switch kind {
        case .json: raw
        case .jsonb: UnsafeRawBufferPointer(rebasing: raw.dropFirst())
        default: nil
        }
    }

    /// The elements of an array of one dimension.
    var elements: [BinaryValue?]? {
        guard kind == .array, length >= 12 else { return nil }
        let dimensions = Binary.int32(bytes)
        if dimensions == 0 { return [] }
        guard dimensions == 1, length >= 20 else { return nil }
        let type = UInt32(bitPattern: Binary.int32(bytes + 8))
        let kind = ColumnKind.builtIn(type) ?? .text
        var at = bytes + 20
        return (0..<Int(Binary.int32(bytes + 12))).map { _ in
            let size = Int(Binary.int32(at))
            at += 4
            guard size >= 0 else { return nil }
            defer { at += size }
            return BinaryValue(bytes: at, length: size, type: type, kind: kind)
        }
    }

    /// As it stands in JSON, without the quotes.
    var printedUnquoted: String {
        let bound = JSONPrinter.bound(kind, bytes, length)
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: bound + 8) { room in
            let start = room.baseAddress!
            let end = JSONPrinter.print(kind, bytes, length, at: start)
            var text = UnsafeRawBufferPointer(start: start, count: end - start)[...]
            if text.first == UInt8(ascii: "\"") { text = text.dropFirst().dropLast() }
            return String(decoding: text, as: UTF8.self)
        }
    }
}
