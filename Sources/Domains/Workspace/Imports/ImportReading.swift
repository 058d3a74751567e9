import Core
import Wire

/// Cuts the bytes of a file into batches of rows, passing over those that are done.
// @unchecked Sendable: used by the one task that reads the file.
final class ImportReading: @unchecked Sendable {
    private let pass: ImportPass
    private var reader: CSVReader
    private var lines: [ImportPass.Line] = []
    private var hasSeenHeader: Bool
    private var n = 0
    private var bytes = 0

    init(_ pass: ImportPass) {
        self.pass = pass
        let delimiter = Delimiter(rawValue: pass.stored.delimiter) ?? .comma
        reader = CSVReader(
            delimiter: delimiter.byte, encoding: pass.stored.encoding,
            cellBytesMax: WorkspaceNumbers.cellBytesMax,
            cellsMax: WorkspaceNumbers.importColumnsMax)
        hasSeenHeader = !pass.stored.hasHeader
        lines.reserveCapacity(WorkspaceNumbers.rowsAtOnce)
    }

    func take(_ piece: [UInt8]) async throws {
        bytes += piece.count
        // In slices, so that no more than a few batches of rows stand in memory however large the pieces come.
        var rest = piece[...]
        while !rest.isEmpty {
            let slice = Array(rest.prefix(WorkspaceNumbers.readBytesAtOnce))
            rest = rest.dropFirst(slice.count)
            try reader.feed(slice, add)
            try await writeFullBatches()
        }
    }

    func end() async throws {
        try reader.finish(add)
        try await writeFullBatches()
        if !lines.isEmpty { try await pass.write(lines, bytesDone: bytes) }
    }

    private func add(_ record: CSVReader.Record) throws {
        guard hasSeenHeader else {
            hasSeenHeader = true
            return
        }
        n += 1
        if n > WorkspaceNumbers.importRowsMax {
            throw JobFailure.permanent(
                "the table has more than \(WorkspaceNumbers.importRowsMax) rows: split it")
        }
        if n > pass.stored.rowsDone { lines.append(pass.line(n, record)) }
    }

    private func writeFullBatches() async throws {
        while lines.count >= WorkspaceNumbers.rowsAtOnce {
            let batch = Array(lines.prefix(WorkspaceNumbers.rowsAtOnce))
            lines.removeFirst(batch.count)
            try await pass.write(batch, bytesDone: bytes)
        }
    }
}
