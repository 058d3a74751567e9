import Glibc

/// One step of the schema: a file `NNNN_name.sql`, which never changes once it has been applied.
public struct Migration: Sendable, Equatable {
    public let number: Int
    /// The file's name without `.sql`.
    public let name: String
    public let sql: String

    /// - Parameter file: as `0042_lead_sources.sql`.
    public init(file: String, sql: String) throws(MigrationError) {
        let stem = file.hasSuffix(".sql") ? String(file.dropLast(4)) : ""
        let parts = stem.split(separator: "_", maxSplits: 1, omittingEmptySubsequences: false)
        let isPlain = stem.utf8.allSatisfy {
            $0 == UInt8(ascii: "_") || (48...57).contains($0) || (97...122).contains($0)
        }
        guard parts.count == 2, parts[0].utf8.count == 4, let number = Int(parts[0]), number > 0,
            !parts[1].isEmpty,
            isPlain
        else {
            throw MigrationError("\(file) is no name of a migration; wanted is one as 0042_lead_sources.sql")
        }
        self.number = number
        self.name = stem
        self.sql = sql
    }

    /// `CREATE INDEX CONCURRENTLY` and its like refuse to run in a transaction; the file says so in a line of its own.
    public var runsInTransaction: Bool {
        !sql.split(separator: "\n").contains { $0.trimmed == "-- infinity:no-transaction" }
    }

    /// All migrations of a folder, in order.
    public static func read(folder: String) throws(MigrationError) -> [Migration] {
        guard let directory = opendir(folder) else {
            throw MigrationError("there is no folder of migrations at \(folder)")
        }
        defer { closedir(directory) }
        var migrations: [Migration] = []
        while let entry = readdir(directory) {
            let file = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard file.hasSuffix(".sql") else { continue }
            migrations.append(try Migration(file: file, sql: try read(file: "\(folder)/\(file)")))
        }
        return try ordered(migrations)
    }

    static func ordered(_ migrations: [Migration]) throws(MigrationError) -> [Migration] {
        let sorted = migrations.sorted { $0.name < $1.name }
        for (one, next) in zip(sorted, sorted.dropFirst()) where one.number == next.number {
            throw MigrationError(
                "\(one.name) and \(next.name) have the same number; give one of them another")
        }
        return sorted
    }

    private static func read(file path: String) throws(MigrationError) -> String {
        guard let file = fopen(path, "r") else { throw MigrationError("\(path) cannot be read") }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 {
            bytes.append(contentsOf: chunk[..<count])
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw MigrationError("\(path) is not UTF-8")
        }
        return text
    }
}

/// Why the schema was left as it is, in a sentence for whoever runs the migration.
public struct MigrationError: Error, Sendable, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}

extension Substring {
    var trimmed: Substring {
        var text = self
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return text
    }
}
