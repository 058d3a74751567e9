import Glibc
import Wire

/// Files small enough to be read and written whole: settings, keys, certificates.
public enum SmallFile {
    public static let bytesMax = 1 << 20

    /// The text of a file, or nil with `errno` set.
    public static func read(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        var all: [UInt8] = []
        while all.count < bytesMax {
            let count = Glibc.read(file, &bytes, bytes.count)
            if count < 0 {
                let code = errno
                defer { errno = code }
                return nil
            }
            if count == 0 { break }
            all += bytes[..<count]
        }
        return String(decoding: all, as: UTF8.self)
    }

    /// Writes a new file that only its owner can read; false when it could not, or when there is one already.
    public static func create(_ path: String, _ text: String) -> Bool {
        // Under its final name it is whole from the start: two that start at once keep the same one.
        let draft = "\(path).\(UUID.v7())"
        let file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { return false }
        defer { unlink(draft) }
        let written = Array(text.utf8).withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
        let isSafe = written == text.utf8.count && fsync(file) == 0
        close(file)
        return isSafe && link(draft, path) == 0
    }
}

/// What the system said, for people.
public enum SystemError {
    public static var last: String { text(errno) }
    public static func text(_ code: Int32) -> String { String(cString: strerror(code)) }
}
