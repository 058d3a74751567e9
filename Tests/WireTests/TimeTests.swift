import Glibc
import Testing
import Wire

@Suite struct TimeTests {
    /// The C library's calendar, as an oracle.
    private func oracle(_ seconds: Int64) -> String {
        var time = time_t(seconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        func pad(_ number: Int32, _ width: Int = 2) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return pad(parts.tm_year + 1900, 4) + "-" + pad(parts.tm_mon + 1) + "-" + pad(parts.tm_mday) + "T"
            + pad(parts.tm_hour) + ":" + pad(parts.tm_min) + ":" + pad(parts.tm_sec)
    }

    @Test func `every day of three thousand years is printed and read as the C library does`() {
        let first = LocalDate("0001-01-01")!.daysSince1970
        let last = LocalDate("3000-12-31")!.daysSince1970
        var wrong: [Int] = []
        for day in stride(from: first, through: last, by: 1) {
            let date = LocalDate(daysSince1970: day)
            let (year, month, ofMonth) = date.civil
            if LocalDate(year: year, month: month, day: ofMonth) != date { wrong.append(day) }
            // Printing is slow in a debug build: each day of the month and of the week still comes by.
            guard day % 17 == 0 else { continue }
            let text = date.description
            if LocalDate(text) != date || !oracle(Int64(day) * 86_400).hasPrefix(text) { wrong.append(day) }
        }
        #expect(wrong == [])
    }

    @Test func `any instant of ten thousand years makes the round trip`() {
        var wrong: [Int64] = []
        var state: UInt64 = 7
        let low = Timestamp("0000-01-01T00:00:00Z")!.microseconds
        let high = Timestamp("9999-12-31T23:59:59.999999Z")!.microseconds
        for _ in 0..<20_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let time = Timestamp(microseconds: low + Int64(state % UInt64(high - low + 1)))
            let text = time.description
            if Timestamp(text) != time || text.utf8.count != 27 || !text.hasPrefix(oracle(time.seconds)) {
                wrong.append(time.microseconds)
            }
        }
        #expect(wrong == [])
    }

    @Test func `texts sort as the instants do`() {
        let times = [-62_135_596_800, -1, 0, 1, 951_782_400, 4_102_444_800, 253_402_300_799].map {
            Timestamp(seconds: $0)
        }
        #expect(times.map(\.description).sorted() == times.map(\.description))
        #expect(Timestamp(microseconds: -1).description == "1969-12-31T23:59:59.999999Z")
        #expect(Timestamp(microseconds: -1).seconds == -1)
        #expect(Timestamp(microseconds: -1_000_000).seconds == -1)
    }

    @Test func `a year of more than four digits is not cut`() {
        #expect(LocalDate(year: 12_345, month: 6, day: 7)?.description == "+012345-06-07")
        #expect(LocalDate(year: -1, month: 12, day: 31)?.description == "-000001-12-31")
        #expect(LocalDate(year: 5_874_897, month: 12, day: 31)?.description == "+5874897-12-31")
        #expect(Timestamp("9999-12-31T23:59:59-23:59")?.description == "+010000-01-01T23:58:59.000000Z")
    }

    @Test(arguments: [
        ("2024-02-29", true), ("2023-02-29", false), ("2000-02-29", true), ("1900-02-29", false),
        ("2100-02-29", false),
        ("2024-04-31", false), ("2024-00-01", false), ("2024-13-01", false), ("2024-01-00", false),
        ("2024-1-01", false),
        ("24-01-01", false), ("2024-01-01 ", false), ("+2024-01-01", false), ("2024-01-32", false),
        ("2024/01/01", false),
        ("", false), ("２024-01-01", false),
    ])
    func `a date exists or does not`(text: String, exists: Bool) {
        #expect((LocalDate(text) != nil) == exists)
    }

    @Test(arguments: [
        ("1994-11-06T08:49:37Z", "1994-11-06T08:49:37.000000Z"),
        ("1994-11-06t08:49:37.5z", "1994-11-06T08:49:37.500000Z"),
        ("1994-11-06 08:49:37.1234567Z", "1994-11-06T08:49:37.123456Z"),
        ("1994-11-06T08:49:37+02:00", "1994-11-06T06:49:37.000000Z"),
        ("1994-11-06T08:49:37-00:30", "1994-11-06T09:19:37.000000Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000000Z"),
        ("1970-01-01T00:00:00+00:01", "1969-12-31T23:59:00.000000Z"),
    ])
    func `any spelling of RFC 3339 is read`(text: String, spelling: String) {
        #expect(Timestamp(text)?.description == spelling)
    }

    @Test(arguments: [
        "", "1994-11-06", "1994-11-06T08:49:37", "1994-11-06T08:49Z", "1994-11-06T24:00:00Z",
        "1994-11-06T08:60:00Z",
        "1994-11-06T08:49:61Z", "1994-11-06T08:49:37.Z", "1994-11-06T08:49:37+2:00",
        "1994-11-06T08:49:37+0200",
        "1994-11-06T08:49:37+24:00", "1994-11-06T08:49:37Z ", " 1994-11-06T08:49:37Z",
        "1994-11-06T08:49:37ZZ",
        "1994-02-30T08:49:37Z", "784111777",
    ])
    func `what is no time is refused`(text: String) { #expect(Timestamp(text) == nil) }

    @Test func `durations are added and taken away exactly`() {
        let time = Timestamp(seconds: 100)
        #expect(time + .microseconds(1) == Timestamp(microseconds: 100_000_001))
        #expect(time - .microseconds(1) == Timestamp(microseconds: 99_999_999))
        #expect(time + .seconds(-101) == Timestamp(seconds: -1))
        #expect(Timestamp(seconds: -1) - Timestamp(seconds: 1) == .seconds(-2))
        #expect(time + (time - Timestamp(microseconds: -7)) == Timestamp(microseconds: 200_000_007))
    }
}
