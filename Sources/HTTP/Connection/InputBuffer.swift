import Glibc

/// Bytes received and not yet understood; holds no memory while it is empty.
struct InputBuffer: ~Copyable {
    private var base: UnsafeMutableRawPointer?
    private var capacity = 0
    private(set) var count = 0

    deinit { free(base) }

    var isEmpty: Bool { count == 0 }
    var bytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(start: base, count: count) }

    /// Keeps a copy of `bytes` behind what is here.
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0 else { return }
        reserve(bytes.count)
        memcpy(base! + count, bytes.baseAddress!, bytes.count)
        count += bytes.count
    }

    /// At least `size` bytes of room; `received` says how many of them were filled.
    mutating func room(_ size: Int) -> UnsafeMutableRawBufferPointer {
        reserve(size)
        return UnsafeMutableRawBufferPointer(start: base! + count, count: capacity - count)
    }

    mutating func received(_ size: Int) { count += size }

    /// Takes off the front; gives the memory back when nothing is left.
    mutating func dropFirst(_ size: Int) {
        if size >= count { return release() }
        if size > 0 { memmove(base!, base! + size, count - size) }
        count -= size
    }

    mutating func release() {
        free(base)
        base = nil
        capacity = 0
        count = 0
    }

    private mutating func reserve(_ extra: Int) {
        guard count + extra > capacity else { return }
        capacity = max(count + extra, capacity * 2, 1024)
        base = realloc(base, capacity)!
    }
}
