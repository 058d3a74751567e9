import CLibPQ
import Glibc
import Wire

/// The values of one statement as libpq wants them: arrays of pointers, lengths and formats, over scratch memory that
/// is used again for the next statement. For one thread.
final class ParameterBuffer {
    private(set) var values: UnsafeMutablePointer<UnsafePointer<CChar>?>
    private(set) var lengths: UnsafeMutablePointer<Int32>
    private(set) var formats: UnsafeMutablePointer<Int32>
    private var capacity = 32
    private var scratch = ByteWriter(capacity: 4096)

    init() {
        values = .allocate(capacity: capacity)
        lengths = .allocate(capacity: capacity)
        formats = .allocate(capacity: capacity)
    }

    deinit {
        values.deallocate()
        lengths.deallocate()
        formats.deallocate()
    }

    /// Lays out the values; `types` are the statement's own where they are known, and choose the binary form.
    func fill(_ bound: [SQL.Bound], types: [UInt32]) {
        if bound.count > capacity { grow(to: bound.count) }
        scratch.removeAll()
        for (index, item) in bound.enumerated() {
            let start = scratch.count
            let type = index < types.count ? types[index] : 0
            if case .null = item.value {
                lengths[index] = -1
            } else if scratch.writeBinary(item.value, type) {
                formats[index] = 1
                lengths[index] = Int32(scratch.count - start)
            } else {
                scratch.writeText(item.value)
                formats[index] = 0
                lengths[index] = Int32(scratch.count - start)
                scratch.write(UInt8(0))
            }
        }
        // The scratch may have moved while it grew: pointers come last.
        var at = UnsafeRawPointer(scratch.bytes.baseAddress!).assumingMemoryBound(to: CChar.self)
        for index in 0..<bound.count {
            if lengths[index] < 0 {
                values[index] = nil
                formats[index] = 0
                lengths[index] = 0
                continue
            }
            values[index] = at
            at += Int(lengths[index]) + (formats[index] == 0 ? 1 : 0)
        }
    }

    /// Gives back the memory of an unusually large statement.
    func trim() {
        if scratch.count > 1 << 20 { scratch = ByteWriter(capacity: 4096) }
    }

    private func grow(to count: Int) {
        values.deallocate()
        lengths.deallocate()
        formats.deallocate()
        capacity = count * 2
        values = .allocate(capacity: capacity)
        lengths = .allocate(capacity: capacity)
        formats = .allocate(capacity: capacity)
    }
}

extension SQL {
    /// Text with a NUL, which PostgreSQL cannot hold and libpq would silently cut.
    var holdsNUL: Bool {
        if Self.hasNUL(text) { return true }
        for item in bound {
            switch item.value {
            case .text(let text): if Self.hasNUL(text) { return true }
            case .texts(let texts): if texts.contains(where: Self.hasNUL) { return true }
            default: break
            }
        }
        return false
    }

    private static func hasNUL(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { $0.count > 0 && memchr($0.baseAddress!, 0, $0.count) != nil }
    }
}
