/// What a byte may be part of, looked up in one table.
struct ByteClass: OptionSet {
    let rawValue: UInt8

    /// RFC 9110 section 5.6.2.
    static let token = ByteClass(rawValue: 1)
    /// A field value's inside: visible, space, tab, and the bytes from 0x80 on, which are opaque.
    static let fieldValue = ByteClass(rawValue: 2)
    /// A path as RFC 3986 has it, without the percent sign, which asks for a closer look.
    static let path = ByteClass(rawValue: 4)
    /// A query: all visible ASCII but `#`; browsers send brackets, braces and bars as they are.
    static let query = ByteClass(rawValue: 8)
    /// A registered name or an IPv4 address, without the percent sign.
    static let host = ByteClass(rawValue: 16)

    /// 256 entries, alive as long as the process.
    // nonisolated(unsafe): written once, before it is seen, and only read from then on.
    nonisolated(unsafe) static let table: UnsafePointer<UInt8> = {
        let table = UnsafeMutablePointer<UInt8>.allocate(capacity: 256)
        for byte in UInt8.min...UInt8.max { table[Int(byte)] = classes(of: byte).rawValue }
        return UnsafePointer(table)
    }()

    private static func classes(of byte: UInt8) -> ByteClass {
        var classes: ByteClass = []
        let isUnreserved =
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                true
            default: false
            }
        let isSubDelimiter = "!$&'()*+,;=".utf8.contains(byte)
        if FieldReader.isTokenByte(byte) { classes.insert(.token) }
        if byte >= 0x20 && byte != 0x7F || byte == 0x09 { classes.insert(.fieldValue) }
        if isUnreserved || isSubDelimiter || ":@/".utf8.contains(byte) { classes.insert(.path) }
        if byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "#") { classes.insert(.query) }
        if isUnreserved || isSubDelimiter { classes.insert(.host) }
        return classes
    }
}
