/// Width and height of a picture, read from its first bytes.
struct ImageSize: Equatable, Sendable {
    let width: Int
    let height: Int

    /// Nil for what is no picture of a known form, or says nothing sensible.
    init?(of type: ContentType, head: [UInt8]) {
        let size: (Int, Int)? =
            switch type.name {
            case "image/png": Self.png(head)
            case "image/gif": head.count >= 10 ? (head.little16(6), head.little16(8)) : nil
            case "image/jpeg": Self.jpeg(head)
            case "image/webp": Self.webp(head)
            case "image/bmp": Self.bmp(head)
            case "image/avif", "image/heic": Self.isoMedia(head)
            default: nil
            }
        guard let size else { return nil }
        self.init(width: size.0, height: size.1)
    }

    /// Nil when these are no sensible numbers.
    init?(width: Int, height: Int) {
        guard (1..<1 << 24).contains(width), (1..<1 << 24).contains(height) else { return nil }
        self.width = width
        self.height = height
    }

    private static func png(_ head: [UInt8]) -> (Int, Int)? {
        guard head.count >= 24, head[12..<16].elementsEqual("IHDR".utf8) else { return nil }
        return (head.big32(16), head.big32(20))
    }

    /// The first frame head (SOF0 to SOF15, less the three that are none) behind the segments before it.
    private static func jpeg(_ head: [UInt8]) -> (Int, Int)? {
        for segment in JPEGSegments(head) where (0xC0...0xCF).contains(segment.marker) {
            if [0xC4, 0xC8, 0xCC].contains(segment.marker) { continue }
            guard segment.content.count >= 5 else { return nil }
            let at = segment.content.lowerBound
            return (head.big16(at + 3), head.big16(at + 1))
        }
        return nil
    }

    private static func webp(_ head: [UInt8]) -> (Int, Int)? {
        guard head.count >= 32 else { return nil }
        switch String(decoding: head[12..<16], as: UTF8.self) {
        case "VP8 ": return (head.little16(26) & 0x3FFF, head.little16(28) & 0x3FFF)
        case "VP8L":
            let bits = head.little16(21) | head.little16(23) << 16
            return ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        case "VP8X":
            return ((head.little32(24) & 0xFF_FFFF) + 1, (head.little32(26) >> 8) + 1)
        default: return nil
        }
    }

    private static func bmp(_ head: [UInt8]) -> (Int, Int)? {
        guard head.count >= 26 else { return nil }
        let width = head.little16(18) | head.little16(20) << 16
        let height = Int(Int32(truncatingIfNeeded: head.little16(22) | head.little16(24) << 16))
        // A negative height means that the rows stand from top to bottom.
        return (width, abs(height))
    }

    /// The largest `ispe` property: the picture itself, not its thumbnail or one of its tiles.
    private static func isoMedia(_ head: [UInt8]) -> (Int, Int)? {
        var largest: (Int, Int)?
        var rest = head[...]
        while let found = rest.firstRange(of: Array("ispe".utf8)), found.upperBound + 12 <= head.count {
            let size = (head.big32(found.upperBound + 4), head.big32(found.upperBound + 8))
            if size.0 < 1 << 24, size.1 < 1 << 24, size.0 * size.1 > (largest.map { $0.0 * $0.1 } ?? 0) {
                largest = size
            }
            rest = head[found.upperBound...]
        }
        return largest
    }
}

/// The segments of a JPEG before its first scan.
struct JPEGSegments: Sequence {
    struct Segment {
        let marker: UInt8
        /// Where its content lies, without marker and length.
        let content: Range<Int>
    }

    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func makeIterator() -> AnyIterator<Segment> {
        var at = 2
        return AnyIterator {
            // Any number of 0xFF may stand before a marker.
            while at + 1 < bytes.count, bytes[at] == 0xFF, bytes[at + 1] == 0xFF { at += 1 }
            guard at + 4 <= bytes.count, bytes[at] == 0xFF else { return nil }
            let marker = bytes[at + 1]
            // The scan begins, or the picture ends: what follows has no length.
            if marker == 0xDA || marker == 0xD9 { return nil }
            let length = bytes.big16(at + 2)
            guard length >= 2, at + 2 + length <= bytes.count else { return nil }
            defer { at += 2 + length }
            return Segment(marker: marker, content: at + 4..<at + 2 + length)
        }
    }
}

extension [UInt8] {
    func big16(_ at: Int) -> Int { Int(self[at]) << 8 | Int(self[at + 1]) }
    func big32(_ at: Int) -> Int { big16(at) << 16 | big16(at + 2) }
    func little16(_ at: Int) -> Int { Int(self[at]) | Int(self[at + 1]) << 8 }
    func little32(_ at: Int) -> Int { little16(at) | little16(at + 2) << 16 }
}
