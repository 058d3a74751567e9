import Loop
import Postgres
import Testing
import Wire

@Suite struct TypeTests {
    /// What the server prints as JSON, and what we print of the same values.
    @Test(arguments: [
        ("uuid", "'01890a5d-ac96-774b-bcce-b302099a8057'::uuid", #""01890a5d-ac96-774b-bcce-b302099a8057""#),
        ("text", "'plain'::text", #""plain""#),
        (
            "escapes", #"E'quote " back \\ tab \t line \n bell \x07 end'::text"#,
            ##""quote \" back \\ tab \t line \n bell \u0007 end""##
        ),
        ("long escape", #"repeat(E'\n', 5000)"#, "\"" + String(repeating: "\\n", count: 5000) + "\""),
        ("unicode", "'žluťoučký 🐎 日本'::varchar", #""žluťoučký 🐎 日本""#),
        ("char", "'ab'::char(4)", #""ab  ""#),
        ("name", "'pg_class'::name", #""pg_class""#),
        ("empty", "''::text", #""""#),
        ("int2", "(-32768)::int2", "-32768"),
        ("int4", "2147483647", "2147483647"),
        ("int8", "(-9223372036854775808)::int8", "-9223372036854775808"),
        ("int8 max", "9223372036854775807::int8", "9223372036854775807"),
        (
            "digits", "ARRAY[0,9,10,99,100,999,1000,9999,10000,99999,100000,123456789]::int8[]",
            "[0,9,10,99,100,999,1000,9999,10000,99999,100000,123456789]"
        ),
        ("bool", "ARRAY[true,false]", "[true,false]"),
        ("float8", "ARRAY[0.1, 1e300, -2.5, 1e-7, 100]::float8[]", "[0.1,1e+300,-2.5,1e-07,100.0]"),
        ("float8 odd", "ARRAY['NaN','Infinity','-Infinity']::float8[]", #"["NaN","Infinity","-Infinity"]"#),
        ("float4", "0.1::float4", "0.1"),
        ("numeric", "12345678901234567890.0123456789::numeric", "12345678901234567890.0123456789"),
        (
            "numeric small",
            "ARRAY[0, 0.0001, -0.00000001, 10000, 100000000, 1.10, 0.5, 99999999.9999, -7]::numeric[]",
            "[0,0.0001,-0.00000001,10000,100000000,1.10,0.5,99999999.9999,-7]"
        ),
        ("numeric far", "1e30::numeric", "1000000000000000000000000000000"),
        ("numeric nan", "'NaN'::numeric", #""NaN""#),
        ("date", "'2024-02-29'::date", #""2024-02-29""#),
        (
            "date old",
            "ARRAY['1900-03-01','0001-01-01','9999-12-31','12345-06-07','2000-01-01','1999-12-31']::date[]",
            #"["1900-03-01","0001-01-01","9999-12-31","+012345-06-07","2000-01-01","1999-12-31"]"#
        ),
        ("date odd", "ARRAY['infinity','-infinity']::date[]", #"["infinity","-infinity"]"#),
        ("timestamptz", "'2026-11-24 06:14:20.123456+02'::timestamptz", #""2026-11-24T04:14:20.123456Z""#),
        (
            "timestamptz early", "'1969-12-31 23:59:59.999999+00'::timestamptz",
            #""1969-12-31T23:59:59.999999Z""#
        ),
        ("timestamptz odd", "'infinity'::timestamptz", #""infinity""#),
        ("timestamp", "'2026-11-24 06:14:20'::timestamp", #""2026-11-24T06:14:20.000000""#),
        ("time", "'23:59:59.5'::time", #""23:59:59.500000""#),
        ("interval", "'1 year 2 months 3 days 04:05:06.789'::interval", #""P1Y2M3DT4H5M6.789S""#),
        (
            "interval odd", "ARRAY['0', '-1 day', '-00:00:00.5', '90 minutes', '14 months']::interval[]",
            #"["PT0S","P-1D","PT-0.5S","PT1H30M","P1Y2M"]"#
        ),
        (
            "jsonb", #"'{"b": [1, {"c": null}], "a": "x\"y"}'::jsonb"#,
            #"{"a": "x\"y", "b": [1, {"c": null}]}"#
        ),
        ("json", #"'{"b":1,  "b":2}'::json"#, #"{"b":1,  "b":2}"#),
        (
            "bytea", "ARRAY['\\x', '\\x00', '\\x00ff', '\\x00ff10', '\\x00ff1020']::bytea[]",
            #"["","AA==","AP8=","AP8Q","AP8QIA=="]"#
        ),
        ("texts", #"ARRAY['a,b', 'c"d', NULL, '']::text[]"#, #"["a,b","c\"d",null,""]"#),
        (
            "uuids", "ARRAY['01890a5d-ac96-774b-bcce-b302099a8057']::uuid[]",
            #"["01890a5d-ac96-774b-bcce-b302099a8057"]"#
        ),
        ("nested", "ARRAY[[1,2],[3,4]]", "[[1,2],[3,4]]"),
        ("no elements", "'{}'::int[]", "[]"),
        (
            "inet", "ARRAY['10.0.0.1','10.0.0.0/8','::1','2001:db8::/32']::inet[]",
            #"["10.0.0.1","10.0.0.0/8","::1","2001:db8::/32"]"#
        ),
        ("cidr", "'10.0.0.0/8'::cidr", #""10.0.0.0/8""#),
        ("enum", "'glad'::mood", #""glad""#),
        ("enums", "ARRAY['glad','calm']::mood[]", #"["glad","calm"]"#),
        ("null", "NULL::int", "null"),
        ("no elements of an enum", "'{}'::mood[]", "[]"),
    ])
    func `each type prints as JSON`(name: String, expression: String, json: String) async throws {
        let ground = try await TypeGround.shared
        let rows = try await ground.database.query("SELECT \(unescaped: expression) AS value, 1 AS after")
        let out = ByteWriter()
        rows.writeJSON(row: 0, into: out)
        #expect(out.string == #"{"value":\#(json),"after":1}"#)
    }

    @Test func `numbers with many digits print exactly as the server does`() async throws {
        let ground = try await TypeGround.shared
        let rows = try await ground.database.query(
            """
            SELECT n, n::text AS text FROM (
                SELECT (sign * (random() * 10 ^ whole)::numeric(60, 0) + round(random()::numeric, scale))::numeric AS n
                FROM generate_series(0, 24) whole, generate_series(0, 14) scale, (VALUES (1), (-1)) s(sign)) x
            """)
        #expect(rows.count == 750)
        for row in rows {
            #expect(try row.get("n", as: String.self) == row.get("text", as: String.self))
        }
    }

    @Test func `every day of five centuries prints as the server does`() async throws {
        let ground = try await TypeGround.shared
        let rows = try await ground.database.report(
            "SELECT d::date AS day, d::date::text AS text FROM generate_series('1700-01-01'::date, '2200-01-01'::date, '1 day') d"
        )
        var wrong = 0
        for row in rows where try row.get("day", as: String.self) != row.get("text", as: String.self) {
            wrong += 1
        }
        #expect(wrong == 0 && rows.count > 180_000)
    }

    @Test func `values come back as they were bound`() async throws {
        let ground = try await TypeGround.shared
        let id = UUID.v7()
        let now = Timestamp.now
        let day = LocalDate(year: 2024, month: 2, day: 29)!
        // Twice: the first time as text, then in the binary form of the types the server has named.
        for _ in 0..<3 {
            let row = try await ground.database.query(
                """
                SELECT \(id)::uuid AS id, \(now)::timestamptz AS now, \(day)::date AS day, \(42)::int AS small,
                    \(Int64.min)::bigint AS large, \(0.1)::float8 AS real, \(true)::bool AS flag, \("o'k \\ \"")::text AS text,
                    \([0, 1, 255] as [UInt8])::bytea AS bytes, \(["a\"b\\", "", "NULL", "c,d"])::text[] AS texts, \([id, .zero])::uuid[] AS ids,
                    \([1, -2] as [Int64])::bigint[] AS numbers, \(JSONText(#"{"a":[1]}"#))::jsonb AS json,
                    \(nil as String?)::text AS nothing, \([] as [String])::text[] AS none, \(7)::float8 AS whole
                """)[0]
            #expect(try row.get("id", as: UUID.self) == id)
            #expect(try row.get("now", as: Timestamp.self) == now)
            #expect(try row.get("day", as: LocalDate.self) == day)
            #expect(try row.get("small", as: Int.self) == 42)
            #expect(try row.get("large", as: Int64.self) == Int64.min)
            #expect(try row.get("real", as: Double.self) == 0.1)
            #expect(try row.get("flag", as: Bool.self))
            #expect(try row.get("text", as: String.self) == "o'k \\ \"")
            #expect(try row.get("bytes", as: [UInt8].self) == [0, 1, 255])
            #expect(try row.get("texts", as: [String].self) == ["a\"b\\", "", "NULL", "c,d"])
            #expect(try row.get("ids", as: [UUID].self) == [id, .zero])
            #expect(try row.get("numbers", as: [Int64].self) == [1, -2])
            #expect(try row.get("json", as: String.self) == #"{"a": [1]}"#)
            #expect(try row.get("nothing", as: String?.self) == nil)
            #expect(try row.get("none", as: [String].self) == [])
            #expect(try row.get("whole", as: Double.self) == 7)
        }
    }

    @Test func `a number too large for its place is the caller's mistake`() async throws {
        let ground = try await TypeGround.shared
        for _ in 0..<2 {
            let error = try await failure { try await ground.database.query("SELECT \(Int64.max)::int AS n") }
            #expect(error.kind == .invalidValue)
        }
    }

    @Test func `a type that has no JSON form is refused by name`() async throws {
        let ground = try await TypeGround.shared
        let error = try await failure { try await ground.database.query("SELECT int4range(1, 5) AS span") }
        #expect(error.kind == .undecodable && error.debugText.contains("\"span\" is of type int4range"))
    }

    private enum Mood: String, Decodable { case calm, glad }
    private struct Nested: Decodable, Equatable { let deepValue: Int }
    private struct Everything: Decodable {
        let id: UUID
        let createdAt: Timestamp
        let dueDate: LocalDate?
        let ownerId: UUID?
        let mood: Mood
        let labels: [String]
        let moods: [Mood]
        let settings: Nested
        let raw: JSON
        let count: Int32
        let share: Double
        let isDone: Bool
        let bytes: [UInt8]
        let absent: Int?
    }

    @Test func `a row is read into a struct by the names of its columns`() async throws {
        let ground = try await TypeGround.shared
        let rows = try await ground.database.query(
            """
            SELECT \(UUID.zero)::uuid AS id, '2026-01-02T03:04:05Z'::timestamptz AS created_at, NULL::date AS due_date,
                \(UUID.zero)::uuid AS owner_id, 'glad'::mood AS mood, ARRAY['a', 'b'] AS labels, ARRAY['calm']::mood[] AS moods,
                '{"deep_value": 3}'::jsonb AS settings, '[1, "x"]'::json AS raw, 5 AS count, 0.25::numeric AS share,
                true AS is_done, '\\x0102'::bytea AS bytes
            """)
        let value = try rows[0].decode(Everything.self)
        #expect(
            value.ownerId == .zero && value.dueDate == nil && value.mood == .glad
                && value.labels == ["a", "b"])
        #expect(value.createdAt == Timestamp("2026-01-02T03:04:05Z"))
        #expect(
            value.settings == Nested(deepValue: 3) && value.raw[1]?.stringValue == "x"
                && value.moods == [.calm])
        #expect(
            value.count == 5 && value.share == 0.25 && value.isDone && value.bytes == [1, 2]
                && value.absent == nil)
        #expect(
            try await ground.database.query("SELECT 'calm'::mood AS m")[0].get("m", as: String.self) == "calm"
        )
    }

    @Test func `a row that lacks a property says which`() async throws {
        struct Wanted: Decodable {
            let id: UUID
            let title: String
        }
        let ground = try await TypeGround.shared
        let rows = try await ground.database.query("SELECT \(UUID.zero)::uuid AS id, NULL::text AS title")
        let error = try await failure { try rows[0].decode(Wanted.self) }
        #expect(error.kind == .undecodable && error.debugText.contains("title"))
    }

    @Test func `an array of rows is JSON, also when empty or cut short`() async throws {
        let ground = try await TypeGround.shared
        let rows = try await ground.database.query(
            "SELECT n::int AS \"odd \"\"key\" FROM generate_series(1, 3) n")
        let all = ByteWriter()
        let some = ByteWriter()
        let none = ByteWriter()
        rows.writeJSONArray(into: all)
        rows.writeJSONArray(into: some, limit: 1)
        rows.writeJSONArray(into: none, limit: 0)
        #expect(all.string == #"[{"odd \"key":1},{"odd \"key":2},{"odd \"key":3}]"#)
        #expect(some.string == #"[{"odd \"key":1}]"# && none.string == "[]")
    }

    @Test func `fragments keep their values in order`() async throws {
        let ground = try await TypeGround.shared
        let filter: [SQL] = ["n > \(2)", "n < \(8)::int", "n <> \(5)"]
        let sql: SQL =
            "SELECT n::int FROM generate_series(\(1)::int, \(10)::int) n WHERE \(fragment: filter.joined(separator: " AND ")) LIMIT \(3)"
        #expect(sql.text.contains("n > $3 AND n < $4::int AND n <> $5 LIMIT $6"))
        let rows = try await ground.database.query(sql + " OFFSET \(1)")
        #expect(try rows.map { try $0.get(0, as: Int.self) } == [4, 6, 7])
    }
}

enum TypeGround {
    private static let task = Task { try await Ground() }
    static var shared: Ground { get async throws { try await task.value } }
}
