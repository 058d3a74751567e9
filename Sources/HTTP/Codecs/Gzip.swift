import CZlib
import Wire

/// gzip (RFC 1952) in one go; `GzipWriter` and `GzipReader` do it piece by piece.
public enum Gzip {
    /// Measured on a list of 50 rows (18.8 KB of JSON, zlib 1.2.13): level 1 makes 5,212 bytes in 120 µs, level 4
    /// 4,879 in 147, level 6 4,641 in 176; beyond it a per cent costs a tenth more time.
    public static let level: Int32 = 4

    public static func compress(_ bytes: UnsafeRawBufferPointer, into out: ByteWriter, level: Int32 = level) {
        GzipWriter(level: level).write(bytes, into: out, flush: .finish)
    }

    public static func compress(_ bytes: [UInt8], level: Int32 = level) -> [UInt8] {
        let out = ByteWriter(capacity: bytes.count / 4 + 64)
        bytes.withUnsafeBytes { compress($0, into: out, level: level) }
        return out.array
    }

    public static func decompress(_ bytes: [UInt8], outputMax: Int) throws(GzipError) -> [UInt8] {
        let reader = GzipReader(outputMax: outputMax)
        let out = ByteWriter(capacity: min(bytes.count * 4, outputMax) + 64)
        try reader.read(bytes, into: out)
        try reader.end()
        return out.array
    }
}

public enum GzipError: Error, Equatable {
    /// No gzip, or damaged: the checksum at the end counts too.
    case damaged
    /// The input ended before the compressed data did.
    case cutShort
    /// The output would pass the limit.
    case tooLarge
    /// So much out of so little is made to fill memory.
    case bomb
}

/// Compresses one body after another; keeps its 256 KiB of zlib state between them, so one per loop serves all
/// bodies that are written in one go, and each streamed body has one of its own.
public final class GzipWriter {
    public enum Flush {
        /// zlib may hold back what it likes.
        case none
        /// All that was written so far can be read by the other side.
        case sync
        /// The end of the body; the writer is ready for the next.
        case finish
    }

    private let stream: UnsafeMutablePointer<z_stream>

    public init(level: Int32 = Gzip.level) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 16 above the window size asks for the gzip wrapper instead of zlib's.
        let made = deflateInit2_(
            stream, level, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        precondition(made == Z_OK, "zlib has no memory for a compressor")
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    public func write(_ bytes: UnsafeRawBufferPointer, into out: ByteWriter, flush: Flush = .none) {
        let mode =
            switch flush {
            case .none: Z_NO_FLUSH
            case .sync: Z_SYNC_FLUSH
            case .finish: Z_FINISH
            }
        stream.lend(bytes)
        var isDone = false
        while !isDone {
            out.fill(max(512, bytes.count / 4)) { room in
                let filled = stream.run(room) { deflate($0, mode) }
                isDone = filled.result == Z_STREAM_END || stream.pointee.avail_out > 0
                return filled.count
            }
        }
        if flush == .finish { deflateReset(stream) }
    }

    public func write(_ bytes: [UInt8], into out: ByteWriter, flush: Flush = .none) {
        bytes.withUnsafeBytes { write($0, into: out, flush: flush) }
    }

    /// Forgets a body that will not be finished.
    public func reset() { deflateReset(stream) }
}

/// Decompresses one body under a size and a ratio limit; several gzip members after each other are one body.
public final class GzipReader {
    private let stream: UnsafeMutablePointer<z_stream>
    private let outputMax: Int
    private let ratioMax: Int
    private var bytesIn = 0
    private var bytesOut = 0
    private var isBetweenMembers = true

    public init(outputMax: Int, ratioMax: Int = CodecLimits.gzipRatioMax) {
        self.outputMax = outputMax
        self.ratioMax = ratioMax
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let made = inflateInit2_(stream, MAX_WBITS + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(made == Z_OK, "zlib has no memory for a decompressor")
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Appends what `bytes` decompress to; the limits are checked before more than one step beyond them is made.
    public func read(_ bytes: UnsafeRawBufferPointer, into out: ByteWriter) throws(GzipError) {
        stream.lend(bytes)
        while stream.pointee.avail_in > 0 || stream.pointee.avail_out == 0, try step(bytes.count, into: out) {
        }
    }

    public func read(_ bytes: [UInt8], into out: ByteWriter) throws(GzipError) {
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(GzipError) in try read(bytes, into: out) }
        }
        try result.get()
    }

    /// To be asked when the input has ended: a body cut short is never taken for whole.
    public func end() throws(GzipError) {
        guard isBetweenMembers, bytesIn > 0 else { throw .cutShort }
    }

    /// Fills one stretch of output; false when zlib wants more input.
    private func step(_ inputLength: Int, into out: ByteWriter) throws(GzipError) -> Bool {
        if isBetweenMembers {
            guard stream.pointee.avail_in > 0 else { return false }
            isBetweenMembers = false
        }
        let before = stream.pointee.avail_in
        var result = Z_OK
        var made = 0
        out.fill(min(max(512, inputLength * 4), Self.stepBytes)) { room in
            // A little room at a time: the limits are looked at after each.
            let limited = UnsafeMutableRawBufferPointer(rebasing: room.prefix(Self.stepBytes))
            let filled = stream.run(limited) { inflate($0, Z_NO_FLUSH) }
            (made, result) = (filled.count, filled.result)
            return made
        }
        bytesIn += Int(before - stream.pointee.avail_in)
        bytesOut += made
        if bytesOut > outputMax { throw .tooLarge }
        if bytesOut > CodecLimits.gzipRatioFree, bytesOut / ratioMax > bytesIn { throw .bomb }
        switch result {
        case Z_OK: return true
        case Z_STREAM_END:
            isBetweenMembers = true
            inflateReset(stream)
            return stream.pointee.avail_in > 0
        case Z_BUF_ERROR: return false
        default: throw .damaged
        }
    }

    private static let stepBytes = 64 << 10
}

extension UnsafeMutablePointer<z_stream> {
    /// The input of the calls that follow; the bytes must live until then.
    func lend(_ bytes: UnsafeRawBufferPointer) {
        pointee.next_in = UnsafeMutablePointer<Bytef>(mutating: bytes.bindMemory(to: Bytef.self).baseAddress)
        pointee.avail_in = UInt32(bytes.count)
    }

    func run(
        _ room: UnsafeMutableRawBufferPointer, _ call: (UnsafeMutablePointer<z_stream>) -> Int32
    ) -> (count: Int, result: Int32) {
        pointee.next_out = room.bindMemory(to: UInt8.self).baseAddress
        pointee.avail_out = UInt32(room.count)
        let result = call(self)
        return (room.count - Int(pointee.avail_out), result)
    }
}
