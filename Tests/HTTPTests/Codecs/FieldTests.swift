import HTTP
import Testing
import Wire

@Suite struct FieldTests {
    @Test(arguments: [
        ("gzip", true, false), ("gzip, deflate, br", true, false), ("GZIP;q=0.5", true, false),
        ("x-gzip", true, false),
        ("identity", false, false), ("", false, false), ("br", false, false), ("*", true, false),
        ("gzip;q=0", false, false), ("gzip;q=0, *", false, false), ("*;q=0", false, true),
        ("identity;q=0", false, true),
        ("gzip, identity;q=0", true, false), ("gzip;q=0.5, identity;q=0.8", false, false),
        ("gzip;q=0.001", true, false), ("gzip ; q=1.000 , br", true, false), ("gzip;q=1.001", false, false),
        ("gzip;q=0.1234", false, false), ("gzip;x=1", false, false), ("gzip;q=", false, false),
        (",,gzip,", true, false),
        ("gzip deflate", false, false), ("identity;q=0, br", false, true),
    ])
    func `the coding is the one the client weighs most`(field: String, gzip: Bool, none: Bool) {
        let wish = AcceptEncoding(field)
        #expect(wish.prefersGzip == gzip)
        #expect(wish.refusesAll == none)
    }

    @Test func `strong comparison refuses weak tags and weak comparison takes them`() throws {
        let five = EntityTag(version: 5)
        #expect(five.description == "\"5\"")
        func condition(_ text: String) throws -> EntityTagCondition { try #require(EntityTagCondition(text)) }
        #expect(try condition("\"5\"").allowsChange(of: five))
        #expect(try !condition("W/\"5\"").allowsChange(of: five))
        #expect(try condition("W/\"5\"").holds(five))
        #expect(try condition("\"4\", \"5\" ,\"6\"").allowsChange(of: five))
        #expect(try !condition("\"4\"").holds(five))
        #expect(try condition("*").allowsChange(of: five))
        #expect(try !condition("*").allowsChange(of: nil))
        #expect(try !condition("*").holds(nil))
        #expect(try condition("\"a,b\"").holds(EntityTag("a,b")))
    }

    @Test func `the tag of the gzip form is another one that counts as the same when it comes back`() throws {
        let five = EntityTag(version: 5)
        #expect(five.gzipped.description == "\"5-gzip\"")
        #expect(try #require(EntityTagCondition("\"5-gzip\"")).allowsChange(of: five))
        #expect(try #require(EntityTagCondition("\"5-gzip\"")).holds(five))
        #expect(!five.gzipped.matchesStrongly(five))
    }

    @Test(arguments: [
        "", "5", "\"5", "\"5\" \"6\"", "w/\"5\"", "W\"5\"", "*, \"5\"", "\"a b\"", "\"5\"x", ",",
    ])
    func `a condition that is no list of tags is refused`(field: String) {
        #expect(EntityTagCondition(field) == nil)
    }

    @Test(arguments: [
        ("bytes=0-9", ByteRange.part(0..<10)), ("bytes=5-", .part(5..<100)), ("bytes=-10", .part(90..<100)),
        ("bytes=-1000", .part(0..<100)), ("bytes=99-99", .part(99..<100)), ("bytes=90-1000", .part(90..<100)),
        ("bytes=100-", .unsatisfiable), ("bytes=-0", .unsatisfiable), ("bytes=100-200", .unsatisfiable),
        ("bytes=99999999999999999999-", .unsatisfiable), ("bytes=0-99999999999999999999", .part(0..<100)),
        ("bytes=5-4", .whole), ("bytes=", .whole), ("bytes=-", .whole), ("bytes=a-b", .whole),
        ("items=0-1", .whole),
        ("bytes=0-1,3-4", .whole), ("bytes 0-1", .whole), ("BYTES=0-9", .part(0..<10)),
        ("bytes=0-9x", .whole),
    ])
    func `a range is a part of the whole or is passed over`(field: String, expected: ByteRange) {
        #expect(ByteRange(field, length: 100) == expected)
    }

    @Test func `nothing of an empty file can be had by range`() {
        #expect(ByteRange("bytes=0-", length: 0) == .unsatisfiable)
        #expect(ByteRange("bytes=-5", length: 0) == .unsatisfiable)
        #expect(ByteRange(nil as String?, length: 0) == .whole)
        #expect(ByteRange.contentRange(0..<10, length: 100) == "bytes 0-9/100")
        #expect(ByteRange.contentRange(nil, length: 100) == "bytes */100")
    }

    @Test func `If-Range holds for the very copy only`() {
        let tag = EntityTag("a")
        let time = Timestamp(seconds: 784_111_777)
        #expect(ByteRange.holds(ifRange: "\"a\"", tag: tag, lastModified: nil))
        #expect(!ByteRange.holds(ifRange: "W/\"a\"", tag: tag, lastModified: nil))
        #expect(!ByteRange.holds(ifRange: "\"b\"", tag: tag, lastModified: time))
        #expect(ByteRange.holds(ifRange: "Sun, 06 Nov 1994 08:49:37 GMT", tag: tag, lastModified: time))
        #expect(!ByteRange.holds(ifRange: "Sun, 06 Nov 1994 08:49:38 GMT", tag: tag, lastModified: time))
        #expect(!ByteRange.holds(ifRange: "yesterday", tag: tag, lastModified: time))
    }

    @Test(
        arguments: [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"), (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
            (4_102_444_800, "Fri, 01 Jan 2100 00:00:00 GMT"),
        ] as [(Int64, String)])
    func `a date is printed and read in the form that is sent`(seconds: Int64, text: String) {
        #expect(HTTPDate.string(Timestamp(seconds: seconds)) == text)
        #expect(HTTPDate.parse(text) == Timestamp(seconds: seconds))
    }

    @Test(arguments: [
        "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 GMT",
    ])
    func `the obsolete forms of a date are read`(text: String) {
        let now = Timestamp(seconds: 1_700_000_000)
        #expect(HTTPDate.parse(text, now: now) == Timestamp(seconds: 784_111_777))
    }

    @Test func `a two-digit year is at most fifty years ahead`() {
        let now = Timestamp(seconds: 1_700_000_000)
        #expect(
            HTTPDate.parse("Friday, 06-Nov-73 00:00:00 GMT", now: now)
                == Timestamp(seconds: 3_277_152_000))
        #expect(
            HTTPDate.parse("Wednesday, 06-Nov-74 00:00:00 GMT", now: now) == Timestamp(seconds: 152_928_000))
    }

    @Test(arguments: [
        "", "Sun", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT", "Son, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT ", "1994-11-06T08:49:37Z", "Sun Nov 06 08:49:37 1994 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
    ])
    func `what is no date is none`(text: String) { #expect(HTTPDate.parse(text) == nil) }

    @Test(
        arguments: [
            ("application/json", "application/json", nil),
            ("Application/JSON; Charset=UTF-8", "application/json", "UTF-8"),
            ("text/plain;charset=\"utf-8\" ; x=y", "text/plain", "utf-8"), ("a/b;;", "a/b", nil),
        ] as [(String, String, String?)])
    func `a media type is read with its parameters`(field: String, essence: String, charset: String?) throws {
        let type = try #require(MediaType(field))
        #expect(type.essence == essence)
        #expect(type["charset"] == charset)
    }

    @Test(arguments: ["", "json", "a/", "/b", "a/b c", "a/b;c", "a/b;c=\"d", "a/b;=d", "a /b", "a/b, c/d"])
    func `what is no media type is none`(field: String) { #expect(MediaType(field) == nil) }

    @Test func `a download's name goes out plain and exact`() throws {
        #expect(ContentDisposition.attachment("leads.csv") == "attachment; filename=\"leads.csv\"")
        let odd = ContentDisposition.attachment("Zoë \"50%\".csv")
        #expect(odd == "attachment; filename=\"Zo__ _50__.csv\"; filename*=UTF-8''Zo%C3%AB%20%2250%25%22.csv")
        #expect(try #require(ContentDisposition(odd)).filename == "Zoë \"50%\".csv")
    }
}
