import CZlib
import Wire

/// Writes a zip archive piece by piece (APPNOTE 6.3): UTF-8 names, DEFLATE, Zip64 where sizes, offsets or the number of
/// entries ask for it. It keeps the directory in memory and nothing of the contents.
///
///     let zip = ZipWriter()
///     zip.begin("people.json", modified: .now)
///     for piece in pieces {
///         zip.write(piece)
///         try await out.write(zip.take())
///     }
///     zip.end()
///     zip.finish()
///     try await out.write(zip.take())
// @unchecked Sendable: used by one task at a time, which may hand it to a thread for work to come back from there.
public final class ZipWriter: @unchecked Sendable {
    fileprivate struct Entry {
        let name: [UInt8]
        let modified: Timestamp
        let offset: UInt64
        let level: Int32
        var checksum: UInt32 = 0
        var packedBytes: UInt64 = 0
        var bytes: UInt64 = 0
    }

    private let stream: UnsafeMutablePointer<z_stream>
    private let out = ByteWriter(capacity: 64 << 10)
    private var written: UInt64 = 0
    private var entries: [Entry] = []
    private var open: Entry?
    private var names: Set<String> = []

    public init() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // A negative window size asks for bare DEFLATE, without a wrapper of zlib's.
        let made = deflateInit2_(
            stream, Gzip.level, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        precondition(made == Z_OK, "zlib has no memory for a compressor")
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    /// Begins a file. Folders in its name are separated by `/`; what would lead out of the folder that the archive is
    /// unpacked into is left out, and a name used before gets a number.
    ///
    /// - Parameter compresses: false for what is compressed already (pictures, video, archives): it is wrapped only.
    public func begin(_ name: String, modified: Timestamp, compresses: Bool = true) {
        precondition(open == nil, "an entry begins before the one before it has ended")
        let entry = Entry(
            name: Array(unique(Self.tidied(name)).utf8), modified: modified, offset: written,
            level: compresses ? Gzip.level : 0)
        open = entry
        count {
            out.little(0x0403_4B50 as UInt32)
            writeCommon(entry, sizes: false)
            out.little(UInt16(Self.timeExtraBytes))
            out.write(entry.name)
            writeTime(entry)
        }
    }

    public func write(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0, let entry = open else { return }
        if entry.bytes == 0 {
            // Costs more than many a small file itself; an empty one does without.
            deflateReset(stream)
            deflateParams(stream, entry.level, Z_DEFAULT_STRATEGY)
        }
        // zlib counts in 32 bits.
        for start in stride(from: 0, to: bytes.count, by: Self.stepBytes) {
            let step = UnsafeRawBufferPointer(
                rebasing: bytes[start..<min(start + Self.stepBytes, bytes.count)])
            open!.checksum = UInt32(
                crc32(
                    UInt(open!.checksum), step.bindMemory(to: UInt8.self).baseAddress, UInt32(step.count)))
            open!.bytes += UInt64(step.count)
            deflate(step, Z_NO_FLUSH)
        }
    }

    public func write(_ bytes: [UInt8]) { bytes.withUnsafeBytes { write($0) } }

    /// Ends the file that was begun.
    public func end() {
        precondition(open != nil, "no entry is open")
        if open!.bytes == 0 {
            // One empty block of DEFLATE, the last.
            count { out.write([3, 0] as [UInt8]) }
            open!.packedBytes = 2
        } else {
            deflate(UnsafeRawBufferPointer(start: nil, count: 0), Z_FINISH)
        }
        let entry = open!
        open = nil
        entries.append(entry)
        count {
            out.little(0x0807_4B50 as UInt32)
            out.little(entry.checksum)
            // Whoever reads the archive from its front takes the form of this from the sizes it has counted itself.
            if entry.isLarge {
                out.little(entry.packedBytes)
                out.little(entry.bytes)
            } else {
                out.little(UInt32(entry.packedBytes))
                out.little(UInt32(entry.bytes))
            }
        }
    }

    /// Adds a file whose bytes are at hand.
    public func add(_ name: String, _ bytes: [UInt8], modified: Timestamp, compresses: Bool = true) {
        begin(name, modified: modified, compresses: compresses)
        write(bytes)
        end()
    }

    /// Writes the directory; the archive is then whole.
    public func finish() {
        precondition(open == nil, "the last entry has not ended")
        let start = written
        for entry in entries { count { writeDirectory(entry) } }
        count { writeEnd(start: start, length: written - start) }
    }

    /// What has been made since the last time, to be sent on.
    public func take() -> [UInt8] {
        let bytes = out.array
        out.removeAll()
        return bytes
    }

    // MARK: names

    private static func tidied(_ name: String) -> String {
        let segments = name.split(separator: "/").map { segment in
            String(segment.map { $0 == "\\" || $0 == ":" || $0.isNewline ? "_" : $0 })
        }.filter { $0 != "." && $0 != ".." }
        let joined = segments.joined(separator: "/")
        var bytes = Array(joined.utf8.prefix(nameBytesMax))
        while !bytes.isEmpty, String(validating: bytes, as: UTF8.self) == nil { bytes.removeLast() }
        return bytes.isEmpty ? "unnamed" : String(decoding: bytes, as: UTF8.self)
    }

    /// `report.pdf`, `report (2).pdf`: case makes no difference where many unpack.
    private func unique(_ name: String) -> String {
        if names.insert(name.lowercased()).inserted { return name }
        let folder = name.lastIndex(of: "/").map { name[...$0] } ?? ""
        let file = name[folder.endIndex...]
        let dot = file.dropFirst().lastIndex(of: ".") ?? file.endIndex
        for number in 2... {
            let other = "\(folder)\(file[..<dot]) (\(number))\(file[dot...])"
            if names.insert(other.lowercased()).inserted { return other }
        }
        preconditionFailure("numbers have no end")
    }

    // MARK: the format

    private func deflate(_ bytes: UnsafeRawBufferPointer, _ mode: Int32) {
        stream.lend(bytes)
        let before = out.count
        var isDone = false
        while !isDone {
            out.fill(max(1024, bytes.count)) { room in
                let filled = stream.run(room) { CZlib.deflate($0, mode) }
                isDone = filled.result == Z_STREAM_END || stream.pointee.avail_out > 0
                return filled.count
            }
        }
        open!.packedBytes += UInt64(out.count - before)
        written += UInt64(out.count - before)
    }

    private func count(_ body: () -> Void) {
        let before = out.count
        body()
        written += UInt64(out.count - before)
    }

    /// What a file's own head and its line in the directory have in common, up to the length of the name.
    private func writeCommon(_ entry: Entry, sizes: Bool) {
        out.little(UInt16(entry.isLarge ? 45 : 20))
        // The sizes stand behind the contents (bit 3); the name is UTF-8 (bit 11).
        out.little(1 << 3 | 1 << 11 as UInt16)
        out.little(8 as UInt16)
        let (time, date) = entry.dosTime
        out.little(time)
        out.little(date)
        out.little(entry.checksum)
        let places: [UInt64] = sizes ? [entry.packedBytes, entry.bytes] : [0, 0]
        for size in places { out.little(sizes && entry.isLarge ? UInt32.max : UInt32(size)) }
        out.little(UInt16(entry.name.count))
    }

    /// The time in seconds of UTC, which the old two fields cannot say.
    private func writeTime(_ entry: Entry) {
        out.little(0x5455 as UInt16)
        out.little(5 as UInt16)
        out.write(1 as UInt8)
        out.little(UInt32(truncatingIfNeeded: entry.modified.seconds))
    }

    private func writeDirectory(_ entry: Entry) {
        let isFar = entry.offset >= UInt64(UInt32.max)
        let large = (entry.isLarge ? 16 : 0) + (isFar ? 8 : 0)
        out.little(0x0201_4B50 as UInt32)
        // Made on Unix, by the newest version that is needed.
        out.little(3 << 8 | 45 as UInt16)
        writeCommon(entry, sizes: true)
        out.little(UInt16(Self.timeExtraBytes + (large > 0 ? large + 4 : 0)))
        for _ in 0..<3 { out.little(0 as UInt16) }
        // A regular file that its owner may write and all may read.
        out.little(0o100644 << 16 as UInt32)
        out.little(isFar ? UInt32.max : UInt32(entry.offset))
        out.write(entry.name)
        writeTime(entry)
        guard large > 0 else { return }
        out.little(1 as UInt16)
        out.little(UInt16(large))
        if entry.isLarge {
            out.little(entry.bytes)
            out.little(entry.packedBytes)
        }
        if isFar { out.little(entry.offset) }
    }

    private func writeEnd(start: UInt64, length: UInt64) {
        let end = start + length
        if entries.count >= Int(UInt16.max) || end >= UInt64(UInt32.max) {
            out.little(0x0606_4B50 as UInt32)
            out.little(44 as UInt64)
            out.little(3 << 8 | 45 as UInt16)
            out.little(45 as UInt16)
            out.little(0 as UInt64)
            out.little(UInt64(entries.count))
            out.little(UInt64(entries.count))
            out.little(length)
            out.little(start)
            out.little(0x0706_4B50 as UInt32)
            out.little(0 as UInt32)
            out.little(end)
            out.little(1 as UInt32)
        }
        out.little(0x0605_4B50 as UInt32)
        out.little(0 as UInt32)
        for _ in 0..<2 { out.little(UInt16(clamping: entries.count)) }
        out.little(UInt32(clamping: length))
        out.little(UInt32(clamping: start))
        out.little(0 as UInt16)
    }

    private static let timeExtraBytes = 9
    private static let stepBytes = 1 << 20
    /// Most file systems hold names of 255 bytes a segment; a path of several fits.
    private static let nameBytesMax = 1024
}

extension ZipWriter.Entry {
    /// The sizes do not fit into the 32 bits of the first format.
    fileprivate var isLarge: Bool { bytes >= UInt64(UInt32.max) || packedBytes >= UInt64(UInt32.max) }

    /// Two-second steps since 1980, in UTC.
    fileprivate var dosTime: (time: UInt16, date: UInt16) {
        let date = LocalDate(daysSince1970: Int(modified.seconds.quotient(by: 86_400))).civil
        guard date.year >= 1980, date.year < 2108 else { return (0, 1 << 5 | 1) }
        let second = Int(modified.seconds - modified.seconds.quotient(by: 86_400) * 86_400)
        return (
            UInt16((second / 3600) << 11 | (second / 60 % 60) << 5 | (second % 60) / 2),
            UInt16((date.year - 1980) << 9 | date.month << 5 | date.day)
        )
    }
}

extension Int64 {
    /// Rounded down, also before 1970.
    fileprivate func quotient(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}

extension ByteWriter {
    /// Least significant byte first.
    fileprivate func little<Number: FixedWidthInteger>(_ number: Number) {
        withUnsafeBytes(of: number.littleEndian) { write($0) }
    }
}
