import Glibc

/// A regular file, or a part of one, as a body. Open it off the loops: opening may wait for the disk.
public final class FileBody: Sendable {
    let descriptor: Int32
    let offset: Int
    public let length: Int
    /// Content-Range is about this.
    let range: Range<Int>?

    /// The descriptor is handed over and closed when nothing uses it any more.
    public init(descriptor: Int32, length: Int) {
        self.descriptor = descriptor
        self.length = length
        offset = 0
        range = nil
    }

    /// Opens a regular file and takes its size; throws an errno otherwise.
    public convenience init(path: String) throws(FileError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw FileError(code: errno) }
        var about = stat()
        guard fstat(descriptor, &about) == 0, about.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw FileError(code: EISDIR)
        }
        self.init(descriptor: descriptor, length: Int(about.st_size))
    }

    deinit { close(descriptor) }
}

public struct FileError: Error, Equatable, Sendable {
    public let code: Int32
}
