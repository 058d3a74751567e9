import API
import Core
import Postgres
import Wire

/// The file of an import as a table.
struct ImportSource: Sendable {
    var delimiter: Delimiter
    var encoding: TextEncoding
    var hasHeader: Bool
    var headers: [String] = []
    var sample: [[String]] = []

    /// Thrown to stop reading a file of which enough has been seen.
    private struct Enough: Error {}

    /// The beginning of the file; nil when there is none that may be read.
    @inline(never)
    static func beginning(of file: UUID, _ company: UUID, _ files: FileKeeping) async throws -> (
        bytes: [UInt8], isWhole: Bool
    )? {
        var bytes: [UInt8] = []
        do {
            let isThere = try await files.read(file, company) { piece in
                bytes += piece
                if bytes.count >= WorkspaceNumbers.importSampleBytes { throw Enough() }
            }
            return isThere ? (bytes, true) : nil
        } catch is Enough {
            return (Array(bytes.prefix(WorkspaceNumbers.importSampleBytes)), false)
        }
    }

    /// Reads the beginning of a table; what is not said is guessed.
    init(
        _ beginning: (bytes: [UInt8], isWhole: Bool), delimiter: Delimiter? = nil,
        encoding: TextEncoding? = nil,
        hasHeader: Bool? = nil
    ) throws(Problem) {
        let (bytes, isWhole) = beginning
        self.encoding = encoding ?? TextEncoding.guessed(from: bytes)
        self.delimiter =
            delimiter
            ?? .of(CSVReader.guessedDelimiter(bytes, encoding: self.encoding, isWhole: isWhole))
        let records = CSVReader.sample(
            bytes, delimiter: self.delimiter.byte, encoding: self.encoding, isWhole: isWhole,
            cellBytesMax: WorkspaceNumbers.cellBytesMax, cellsMax: WorkspaceNumbers.importColumnsMax + 1)
        guard let first = records.first else { throw Problem(.importEmpty) }
        if first.cells.count > WorkspaceNumbers.importColumnsMax { throw Problem(.importTooWide) }
        self.hasHeader = hasHeader ?? Self.looksLikeHeader(first.cells)
        headers =
            self.hasHeader
            ? first.cells.map { Self.shown($0) } : first.cells.indices.map { "Column \($0 + 1)" }
        sample = records.dropFirst(self.hasHeader ? 1 : 0).prefix(WorkspaceNumbers.importSampleRows)
            .map { $0.cells.prefix(headers.count).map { Self.shown($0) } }
    }

    /// Names, each once, and no numbers.
    private static func looksLikeHeader(_ cells: [String]) -> Bool {
        let names = cells.map(tidied)
        return Set(names).count == names.count
            && !names.contains { $0.isEmpty || Double($0) != nil || LocalDate($0) != nil }
    }

    private static func shown(_ cell: String) -> String {
        String(
            String.UnicodeScalarView(
                cell.unicodeScalars.filter { $0.value != 0 }.prefix(WorkspaceNumbers.importCellShown)))
    }

    /// A cell without what surrounds it.
    static func tidied(_ cell: String) -> String {
        let scalars = cell.unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(scalars[first...last])
    }

    /// Which column is likely which: by key, name or another usual heading; at last by a heading that is nearly one.
    func proposal(for columns: [ImportColumn]) -> [MappedColumn] {
        var taken: Set<String> = []
        var found: [Int: String] = [:]
        for isLoose in [false, true] {
            for (index, header) in headers.enumerated() where found[index] == nil {
                let plain = Self.plain(header)
                guard !plain.isEmpty,
                    let column = columns.first(where: { column in
                        !taken.contains(column.key)
                            && ([column.key, column.name] + column.aliases).contains {
                                let name = Self.plain($0)
                                return name == plain
                                    || isLoose && name.count > 4
                                        && EditDistance.between(Array(name.utf8), Array(plain.utf8)) == 1
                            }
                    })
                else { continue }
                taken.insert(column.key)
                found[index] = column.key
            }
        }
        return found.sorted { $0.key < $1.key }.compactMap { index, key in
            guard let place = Whole<0, 999>(index), let key = Text<80>(key) else { return nil }
            return MappedColumn(column: place, key: key)
        }
    }

    private static func plain(_ text: String) -> String {
        text.lowercased().filter { $0.isLetter || $0.isNumber }
    }
}
