/// Takes the place where a photo was taken out of it: a picture on a website need not say where its author lives.
///
/// The bytes are overwritten where they stand, so that the file keeps its length and everything else in it, such as the
/// orientation. Looked at are the Exif and XMP segments of a JPEG in its first bytes; other forms are left as they are.
enum PhotoLocation {
    /// True when something was taken out.
    static func remove(from head: inout [UInt8]) -> Bool {
        guard head.starts(with: [0xFF, 0xD8, 0xFF]) else { return false }
        var found = false
        for segment in JPEGSegments(head) where segment.marker == 0xE1 {
            let content = head[segment.content]
            if content.starts(with: exif) {
                found = blankExif(&head, segment.content.dropFirst(exif.count)) || found
            } else if content.starts(with: xmp) {
                found = blankXMP(&head, segment.content) || found
            }
        }
        return found
    }

    private static let exif: [UInt8] = Array("Exif\0\0".utf8)
    private static let xmp: [UInt8] = Array("http://ns.adobe.com/xap/1.0/\0".utf8)

    // MARK: Exif, which is a TIFF file

    /// The entry of IFD0 that points at the GPS directory, and the field types' sizes in bytes.
    private static let gpsPointer = 0x8825
    private static let typeBytes = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8]
    private static let entryBytes = 12

    private static func blankExif(_ head: inout [UInt8], _ range: Range<Int>) -> Bool {
        guard range.count >= 8 else { return false }
        let tiff = TIFF(start: range.lowerBound, end: range.upperBound, isBig: head[range.lowerBound] == 0x4D)
        guard let first = tiff.long(head, 4), let pointer = tiff.entry(head, gpsPointer, in: first),
            let directory = tiff.long(head, pointer + 8), let count = tiff.short(head, directory)
        else { return false }
        for index in 0..<count {
            let entry = directory + 2 + index * entryBytes
            guard let type = tiff.short(head, entry + 2), let items = tiff.long(head, entry + 4) else {
                break
            }
            let bytes = (typeBytes.indices.contains(type) ? typeBytes[type] : 0) * min(items, range.count)
            if bytes > 4, let place = tiff.long(head, entry + 8) { tiff.blank(&head, place, bytes) }
        }
        // A directory of no entries, and what its entries held.
        tiff.blank(&head, directory, 2 + count * entryBytes)
        return true
    }

    /// Places in a TIFF are counted from its start and trusted by nobody.
    private struct TIFF {
        let start: Int
        let end: Int
        let isBig: Bool

        func short(_ bytes: [UInt8], _ at: Int) -> Int? {
            guard at >= 0, start + at + 2 <= end else { return nil }
            return isBig ? bytes.big16(start + at) : bytes.little16(start + at)
        }

        func long(_ bytes: [UInt8], _ at: Int) -> Int? {
            guard at >= 0, start + at + 4 <= end else { return nil }
            return isBig ? bytes.big32(start + at) : bytes.little32(start + at)
        }

        func entry(_ bytes: [UInt8], _ tag: Int, in directory: Int) -> Int? {
            guard let count = short(bytes, directory) else { return nil }
            return (0..<count).lazy.map { directory + 2 + $0 * entryBytes }.first { short(bytes, $0) == tag }
        }

        func blank(_ bytes: inout [UInt8], _ at: Int, _ count: Int) {
            guard at >= 0, start + at < end else { return }
            for index in start + at..<min(start + at + count, end) { bytes[index] = 0 }
        }
    }

    // MARK: XMP, which is XML

    /// `exif:GPSLatitude="52,31.2N"` or `<exif:GPSLatitude>…</exif:GPSLatitude>`: the value becomes blanks.
    private static func blankXMP(_ head: inout [UInt8], _ range: Range<Int>) -> Bool {
        let name = Array("exif:GPS".utf8)
        var found = false
        var at = range.lowerBound
        while let hit = head[at..<range.upperBound].firstRange(of: name) {
            at = hit.upperBound
            while at < range.upperBound, isLetter(head[at]) { at += 1 }
            guard at + 1 < range.upperBound else { break }
            let quote = head[at + 1]
            let closing: UInt8
            switch (head[at], quote) {
            case (UInt8(ascii: "="), UInt8(ascii: "\"")), (UInt8(ascii: "="), UInt8(ascii: "'")):
                closing = quote
                at += 2
            case (UInt8(ascii: ">"), _):
                closing = UInt8(ascii: "<")
                at += 1
            default: continue
            }
            while at < range.upperBound, head[at] != closing {
                head[at] = UInt8(ascii: " ")
                at += 1
            }
            found = true
        }
        return found
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}
