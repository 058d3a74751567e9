import Glibc

/// A regular file, or a part of one, as a body. Open it off the loops: opening may wait for the disk.
public struct FileBody: Sendable {
    let file: OpenFile
    let offset: Int
    public let length: Int

    /// Opens a regular file and takes its present size.
    public init(path: String) throws(FileError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw FileError(code: errno) }
        let file = OpenFile(descriptor)
        var about = stat()
        guard fstat(descriptor, &about) == 0, about.st_mode & S_IFMT == S_IFREG else {
            throw FileError(code: EISDIR)
        }
        self.init(file: file, offset: 0, length: Int(about.st_size))
    }

    private init(file: OpenFile, offset: Int, length: Int) {
        self.file = file
        self.offset = offset
        self.length = length
    }

    func part(_ range: Range<Int>) -> FileBody {
        FileBody(file: file, offset: offset + range.lowerBound, length: range.count)
    }

    /// `count` bytes from `start`; nil when the file no longer has them. Blocks.
    func read(_ start: Int, _ count: Int) -> [UInt8]? {
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { room, filled in
            while filled < count {
                let got = pread(
                    file.descriptor, room.baseAddress! + filled, count - filled,
                    off_t(offset + start + filled))
                if got < 0, errno == EINTR { continue }
                guard got > 0 else { return }
                filled += got
            }
        }
        return bytes.count == count ? bytes : nil
    }

    /// Owns the descriptor.
    final class OpenFile: Sendable {
        let descriptor: Int32

        init(_ descriptor: Int32) { self.descriptor = descriptor }

        deinit { close(descriptor) }
    }
}

/// Why a file could not be opened.
public struct FileError: Error, Equatable, Sendable {
    /// An errno.
    public let code: Int32

    public init(code: Int32) { self.code = code }
}
