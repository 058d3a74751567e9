import HTTP
import Wire

/// Writes a workbook of one sheet (ECMA-376, SpreadsheetML) row by row, into a zip archive that is sent on as it grows:
/// it keeps no row in memory. Texts stand in their cells, so none of them can be taken for a formula.
// @unchecked Sendable: used by one task at a time.
final class SheetWriter: @unchecked Sendable {
    enum Cell {
        case empty
        case text(String)
        case number(String)
        case boolean(Bool)
    }

    /// What the format allows.
    static let rowsMax = 1_048_576
    private static let textLengthMax = 32_767

    private let zip = ZipWriter()
    private let out = ByteWriter(capacity: 64 << 10)
    private var rows = 0

    init(name: String) {
        let head = #"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#
        let sheets = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        let package = "http://schemas.openxmlformats.org/package/2006"
        let types = "application/vnd.openxmlformats-officedocument.spreadsheetml"
        add(
            "[Content_Types].xml",
            """
            \(head)<Types xmlns="\(package)/content-types"><Default Extension="rels" \
            ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" \
            ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="\(types).sheet.main+xml"/>\
            <Override PartName="/xl/worksheets/sheet1.xml" ContentType="\(types).worksheet+xml"/></Types>
            """)
        add(
            "_rels/.rels",
            """
            \(head)<Relationships xmlns="\(package)/relationships"><Relationship Id="rId1" Type="\(office)/officeDocument" \
            Target="xl/workbook.xml"/></Relationships>
            """)
        add(
            "xl/workbook.xml",
            """
            \(head)<workbook xmlns="\(sheets)" xmlns:r="\(office)"><sheets><sheet name="\(Self.sheetName(name))" sheetId="1" \
            r:id="rId1"/></sheets></workbook>
            """)
        add(
            "xl/_rels/workbook.xml.rels",
            """
            \(head)<Relationships xmlns="\(package)/relationships"><Relationship Id="rId1" Type="\(office)/worksheet" \
            Target="worksheets/sheet1.xml"/></Relationships>
            """)
        zip.begin("xl/worksheets/sheet1.xml", modified: .now)
        // The first row stays in sight.
        zip.write(
            Array(
                """
                \(head)<worksheet xmlns="\(sheets)"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" \
                topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>
                """.utf8))
    }

    func row(_ cells: [Cell]) {
        rows += 1
        out.write("<row r=\"\(rows)\">")
        for cell in cells { write(cell) }
        out.write("</row>")
        if out.count > 32 << 10 { flush() }
    }

    func finish() {
        out.write("</sheetData></worksheet>")
        flush()
        zip.end()
        zip.finish()
    }

    /// What has been made since the last time.
    func take() -> [UInt8] {
        flush()
        return zip.take()
    }

    private func flush() {
        guard out.count > 0 else { return }
        zip.write(out.array)
        out.removeAll()
    }

    private func add(_ name: String, _ text: String) { zip.add(name, Array(text.utf8), modified: .now) }

    private func write(_ cell: Cell) {
        switch cell {
        case .empty: out.write("<c/>")
        case .number(let number):
            out.write("<c><v>")
            out.write(number)
            out.write("</v></c>")
        case .boolean(let value): out.write("<c t=\"b\"><v>\(value ? 1 : 0)</v></c>")
        case .text(let text):
            out.write("<c t=\"inlineStr\"><is><t xml:space=\"preserve\">")
            out.write(Self.escaped(text))
            out.write("</t></is></c>")
        }
    }

    /// XML 1.0 has no place for most control characters, whatever one writes for them.
    private static func escaped(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars.prefix(textLengthMax) {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "\t", "\n", "\r": out += "&#\(scalar.value);"
            case _ where scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF: continue
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    private static func sheetName(_ name: String) -> String {
        let allowed = String(name.filter { !"[]:*?/\\'".contains($0) }.prefix(31))
        return escaped(allowed.isEmpty ? "Sheet" : allowed)
    }
}
