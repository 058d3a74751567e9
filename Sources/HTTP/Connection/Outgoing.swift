import Wire

/// What has been answered and the socket would not take yet, in order.
struct Outgoing {
    enum Segment {
        case writer(ByteWriter, from: Int)
        case bytes([UInt8], from: Int)
        case file(FileBody, from: Int)
    }

    private(set) var segments: [Segment] = []
    /// In memory; files do not count.
    private(set) var bytes = 0

    var isEmpty: Bool { segments.isEmpty }
    var first: Segment? { segments.first }

    mutating func append(_ segment: Segment) {
        switch segment {
        case .writer(let writer, let from):
            guard writer.count > from else { return }
            bytes += writer.count - from
        case .bytes(let array, let from):
            guard array.count > from else { return }
            bytes += array.count - from
        case .file(let file, let from):
            guard file.length > from else { return }
        }
        segments.append(segment)
    }

    mutating func append(copy: UnsafeRawBufferPointer) {
        guard copy.count > 0 else { return }
        append { $0.write(copy) }
    }

    /// Lets `write` add to a writer at the end, which leaves in one piece with what it already holds.
    mutating func append(_ write: (ByteWriter) -> Void) {
        if case .writer(let tail, _)? = segments.last, tail.count < Self.joinedBytes {
            let before = tail.count
            write(tail)
            bytes += tail.count - before
            return
        }
        let tail = ByteWriter(capacity: 1024)
        write(tail)
        append(.writer(tail, from: 0))
    }

    /// The first segment got `sent` bytes further.
    mutating func advance(_ sent: Int) {
        switch segments[0] {
        case .writer(let writer, let from):
            bytes -= sent
            replaceFirst(from + sent == writer.count ? nil : .writer(writer, from: from + sent))
        case .bytes(let array, let from):
            bytes -= sent
            replaceFirst(from + sent == array.count ? nil : .bytes(array, from: from + sent))
        case .file(let file, let from):
            replaceFirst(from + sent == file.length ? nil : .file(file, from: from + sent))
        }
    }

    /// Puts a piece that was read out of the file at the front before the rest of it.
    mutating func replaceFile(with piece: [UInt8]) {
        guard case .file? = segments.first else { return }
        advance(piece.count)
        segments.insert(.bytes(piece, from: 0), at: 0)
        bytes += piece.count
    }

    private mutating func replaceFirst(_ segment: Segment?) {
        if let segment { segments[0] = segment } else { segments.removeFirst() }
    }

    mutating func removeAll() {
        segments = []
        bytes = 0
    }

    private static let joinedBytes = 16 << 10
}
