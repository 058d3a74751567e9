import Wire

/// Lines of comma-separated values (RFC 4180) that are safe to open in a spreadsheet.
public enum CSV {
    public static func write(_ cells: [String], into out: ByteWriter) {
        for (index, cell) in cells.enumerated() {
            if index > 0 { out.write(",") }
            write(cell: cell, into: out)
        }
        out.write("\r\n")
    }

    private static func write(cell: String, into out: ByteWriter) {
        // What begins like this is run as a formula by spreadsheets; the apostrophe makes it text.
        let isFormula = cell.utf8.first.map { "=+-@\t\r".utf8.contains($0) } ?? false
        let text = isFormula ? "'" + cell : cell
        guard text.utf8.contains(where: { ",\"\r\n".utf8.contains($0) }) else { return out.write(text) }
        out.write("\"")
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\"") { out.write(byte) }
            out.write(byte)
        }
        out.write("\"")
    }
}
