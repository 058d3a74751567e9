/// How a column's binary form is read and printed.
enum ColumnKind: UInt8, Sendable {
    case bool, int2, int4, int8, oid, float4, float8, numeric
    case text, json, jsonb, bytea, uuid
    case date, time, timestamp, timestamptz, interval
    case inet
    case array
    case void

    /// The most bytes a value prints as, quotes included; nil when that depends on the value.
    var fixedBound: Int? {
        switch self {
        case .bool: 5
        case .int2: 6
        case .int4, .oid: 11
        case .int8: 20
        case .float4, .float8: 32
        case .uuid: 38
        // The farthest year PostgreSQL knows has six digits, and a sign goes before it.
        case .date: 16
        case .time: 20
        case .timestamp, .timestamptz: 36
        case .interval: 96
        case .inet: 56
        case .void: 4
        case .numeric, .text, .json, .jsonb, .bytea, .array: nil
        }
    }

    /// The kinds of PostgreSQL's own types (pg_type.dat); they never change.
    static func builtIn(_ type: UInt32) -> ColumnKind? {
        switch type {
        case 16: .bool
        case 17: .bytea
        case 20: .int8
        case 21: .int2
        case 23: .int4
        case 26: .oid
        case 18, 19, 25, 142, 705, 1042, 1043: .text
        case 114: .json
        case 3802: .jsonb
        case 650, 869: .inet
        case 700: .float4
        case 701: .float8
        case 1082: .date
        case 1083: .time
        case 1114: .timestamp
        case 1184: .timestamptz
        case 1186: .interval
        case 1700: .numeric
        case 2278: .void
        case 2950: .uuid
        case 22, 30, 199, 651, 1000, 1001, 1002, 1003, 1005, 1007, 1009, 1014, 1015, 1016, 1021, 1022, 1028,
            1041, 1115,
            1182, 1183, 1185, 1187, 1231, 2951, 3807:
            .array
        default: nil
        }
    }
}
