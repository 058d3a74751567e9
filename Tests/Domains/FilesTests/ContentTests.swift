import Testing
import Wire

@testable import Files

/// What bytes are, told by themselves.
@Suite struct ContentTests {
    struct Sample: Sendable {
        let type: String
        let bytes: [UInt8]

        init(_ type: String, _ bytes: [UInt8]) { (self.type, self.bytes) = (type, bytes) }
        init(_ type: String, _ text: String) { self.init(type, Array(text.utf8)) }
    }

    private static func riff(_ form: String) -> [UInt8] {
        Array("RIFF".utf8) + [1, 2, 3, 4] + Array("\(form)1234567890123456".utf8)
    }
    private static func iso(_ brand: String) -> [UInt8] {
        [0, 0, 0, 24] + Array("ftyp\(brand)".utf8) + [UInt8](repeating: 0, count: 12)
    }
    private static func zip(_ name: String, _ content: String = "") -> [UInt8] {
        [0x50, 0x4B, 3, 4] + [UInt8](repeating: 0, count: 22) + [UInt8(name.utf8.count), 0, 0, 0]
            + Array("\(name)\(content)".utf8)
    }

    private static let samples = [
        Sample("image/png", Picture.png), Sample("image/gif", Picture.gif),
        Sample("image/jpeg", [0xFF, 0xD8, 0xFF, 0xE0, 0, 16]),
        Sample("image/webp", riff("WEBP")), Sample("audio/wav", riff("WAVE")),
        Sample("video/x-msvideo", riff("AVI ")),
        Sample("video/mp4", iso("isom")), Sample("video/quicktime", iso("qt  ")),
        Sample("image/avif", iso("avif")),
        Sample("image/heic", iso("heic")), Sample("audio/mp4", iso("M4A ")),
        Sample("audio/mpeg", "ID3\u{3}"), Sample("audio/mpeg", [0xFF, 0xFB, 0x90, 0x64]),
        Sample("audio/aac", [0xFF, 0xF1, 0x50, 0x80]),
        Sample("audio/ogg", "OggS\0\u{2}\0\0\0\0\0\0\0\0vorbis"), Sample("audio/flac", "fLaC\0\0\0\u{22}"),
        Sample("video/webm", [0x1A, 0x45, 0xDF, 0xA3] + Array("\u{42}webm\0\0\0\0".utf8)),
        Sample("application/pdf", "%PDF-1.7\n"), Sample("application/gzip", [0x1F, 0x8B, 8, 0]),
        Sample("application/zip", zip("notes.txt", "hello")),
        Sample(
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            zip("[Content_Types].xml") + zip("word/document.xml")),
        Sample("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", zip("xl/workbook.xml")),
        Sample(
            "application/vnd.oasis.opendocument.text",
            zip("mimetype", "application/vnd.oasis.opendocument.textPK")),
        Sample("application/epub+zip", zip("mimetype", "application/epub+zipPK")),
        Sample("application/x-elf", [0x7F, 0x45, 0x4C, 0x46, 2]),
        Sample("application/vnd.microsoft.portable-executable", "MZ\u{1}"),
        Sample("application/x-script", "#!/bin/sh\n"),
        Sample("text/html", "<!DOCTYPE html><p>"), Sample("text/html", "\n <ScRipt>alert(1)"),
        Sample("text/html", "<!-- x --><b>"),
        Sample("text/html", "<a href=x>"), Sample("image/svg+xml", Picture.svg),
        Sample("image/svg+xml", "<?xml version='1.0'?>\n<svg/>"),
        Sample("application/xml", "<?xml version='1.0'?><a/>"),
        Sample("text/plain", "a,b\n1,2\n"), Sample("text/plain", "<abc> is no tag of HTML"),
        Sample("text/plain", "naïve – 客户"),
        Sample("text/plain", [0xFF, 0xFE, 0x68, 0]), Sample("text/plain", Array("naïv".utf8) + [0xC3]),
        Sample("application/octet-stream", [0, 1, 2, 3]),
        Sample("application/octet-stream", [0x61, 0xFF, 0x62, 0x63, 0x64]),
    ]

    @Test(arguments: samples.indices) func `a type is what the content says`(_ index: Int) {
        let sample = Self.samples[index]
        #expect(ContentType(of: sample.bytes).name == sample.type)
    }

    @Test func `no cut of any sample breaks the reading`() {
        for sample in Self.samples {
            for length in 0...sample.bytes.count {
                let head = Array(sample.bytes[..<length])
                let type = ContentType(of: head)
                _ = ImageSize(of: type, head: head)
                var copy = head
                _ = PhotoLocation.remove(from: &copy)
            }
        }
    }

    @Test func `a picture's size is read from its bytes`() {
        func size(_ bytes: [UInt8]) -> [Int?] {
            let size = ImageSize(of: ContentType(of: bytes), head: bytes)
            return [size?.width, size?.height]
        }
        #expect(size(Picture.png) == [1, 1])
        #expect(size(Array("GIF89a".utf8) + [0x40, 1, 0xF0, 0, 0, 0]) == [320, 240])
        let lossy =
            Array("RIFF".utf8) + [0, 0, 0, 0] + Array("WEBPVP8 ".utf8) + [
                0, 0, 0, 0, 0, 0, 0, 0x9D, 1, 0x2A, 0x26, 2, 0x70, 1, 0, 0,
            ]
        #expect(size(lossy) == [550, 368])
        let lossless =
            Array("RIFF".utf8) + [0, 0, 0, 0] + Array("WEBPVP8L".utf8) + [
                0, 0, 0, 0, 0x2F, 0x8F, 0x81, 0x4A, 0, 0, 0, 0, 0, 0, 0, 0,
            ]
        #expect(size(lossless) == [400, 299])
        let extended =
            Array("RIFF".utf8) + [0, 0, 0, 0] + Array("WEBPVP8X".utf8) + [
                10, 0, 0, 0, 0, 0, 0, 0, 0x8F, 1, 0, 0x2A, 1, 0, 0, 0,
            ]
        #expect(size(extended) == [400, 299])
        // Behind another segment, as cameras write them.
        let jpeg: [UInt8] = [
            0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 1, 2, 0xFF, 0xC0, 0, 11, 8, 0x01, 0x90, 0x02, 0x80, 1, 1, 0x11, 0,
            0xFF, 0xDA,
        ]
        #expect(size(jpeg) == [640, 400])
        #expect(size([0xFF, 0xD8, 0xFF, 0xC4, 0xFF, 0xFF]) == [nil, nil])
    }

    @Test func `the place where a photo was taken is removed, and nothing else`() throws {
        // Big-endian TIFF: orientation and a pointer to a GPS directory of two entries, one of them with its value elsewhere.
        var tiff: [UInt8] = Array("MM".utf8) + [0, 42, 0, 0, 0, 8]
        tiff += [0, 2]
        tiff += [1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0]
        tiff += [0x88, 0x25, 0, 4, 0, 0, 0, 1, 0, 0, 0, 38]
        tiff += [0, 0, 0, 0]
        tiff += [0, 2]
        tiff += [0, 1, 0, 2, 0, 0, 0, 2] + Array("N\0\0\0".utf8)
        tiff += [0, 2, 0, 5, 0, 0, 0, 3, 0, 0, 0, 68]
        tiff += [0, 0, 0, 0]
        tiff += [0, 0, 0, 52, 0, 0, 0, 1, 0, 0, 0, 31, 0, 0, 0, 1, 0, 0, 0, 12, 0, 0, 0, 1]
        let xmp =
            "http://ns.adobe.com/xap/1.0/\0<x exif:GPSLatitude=\"52,31.2N\" tiff:Make=\"Canon\"><exif:GPSLongitude>13,24E</exif:GPSLongitude></x>"
        func segment(_ content: [UInt8]) -> [UInt8] {
            [0xFF, 0xE1, UInt8((content.count + 2) >> 8), UInt8((content.count + 2) & 255)] + content
        }
        let before =
            [0xFF, 0xD8] + segment(Array("Exif\0\0".utf8) + tiff) + segment(Array(xmp.utf8)) + [
                0xFF, 0xDA, 1, 2, 3,
            ]
        var after = before
        #expect(PhotoLocation.remove(from: &after))
        #expect(after.count == before.count)
        let text = String(decoding: after, as: UTF8.self)
        #expect(!text.contains("52,31") && !text.contains("13,24E") && text.contains("tiff:Make=\"Canon\""))
        let start = 2 + 4 + 6
        #expect(
            Array(after[start + 10..<start + 22]) == [1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0],
            "the orientation stays")
        #expect(after[start + 38..<start + tiff.count].allSatisfy { $0 == 0 })
        #expect(after.suffix(3) == [1, 2, 3])
        var again = after
        #expect(PhotoLocation.remove(from: &again) && again == after)
        var none = Picture.png
        #expect(!PhotoLocation.remove(from: &none))
    }

    @Test func `a name is never a path`() {
        #expect(
            FileName("a/b") == nil && FileName("a\\b") == nil && FileName("..") == nil && FileName("") == nil)
        #expect(FileName("fdp\u{202E}exe") == nil && FileName("a\u{0}b") == nil)
        #expect(FileName("Über uns (1).pdf")?.text == "Über uns (1).pdf")
        #expect(FileName(from: "C:\\Users\\ada\\report.pdf").text == "report.pdf")
        #expect(FileName(from: "../../etc/passwd").text == "passwd")
        #expect(FileName(from: nil).text == "unnamed" && FileName(from: "/").text == "unnamed")
        #expect(FileName(from: String(repeating: "x", count: 400)).text.count == 255)
    }
}
