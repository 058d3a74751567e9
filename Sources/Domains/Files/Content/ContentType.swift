import Wire

/// The media type of bytes, told by the bytes alone: neither a name nor what the sender says of them is believed.
struct ContentType: Equatable, Sendable {
    let name: String

    var kind: ContentKind { ContentKind(of: name) }

    /// May be shown by a browser under our address: it holds nothing that could run there.
    var isHarmless: Bool { Self.harmless.contains(name) }

    /// DEFLATE gains nothing on it.
    var isCompressed: Bool {
        switch kind {
        case .image, .video, .audio, .archive:
            name != "image/bmp" && name != "audio/wav" && name != "application/x-tar"
        case .document:
            name.contains("openxml") || name.contains("opendocument") || name == "application/epub+zip"
        case .text, .program, .other: false
        }
    }

    init(name: String) { self.name = name }

    /// - Parameter head: the first bytes, at best `FileLimits.headBytes` of them.
    init(of head: [UInt8]) {
        name =
            Self.byMagic(head) ?? Self.container(head) ?? Self.zip(head) ?? Self.markup(head) ?? Self.text(
                head)
            ?? "application/octet-stream"
    }

    private static let harmless: Set = [
        "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/heic", "image/bmp",
        "image/x-icon",
        "image/tiff", "audio/mpeg", "audio/wav", "audio/ogg", "audio/flac", "audio/aac", "audio/mp4",
        "video/mp4",
        "video/webm", "video/ogg", "video/quicktime", "text/plain",
    ]

    // MARK: numbers at fixed places

    private struct Magic {
        let type: String
        let at: Int
        /// Nil stands for any byte.
        let bytes: [UInt8?]

        init(_ type: String, _ text: String, at: Int = 0) {
            (self.type, self.at, bytes) = (type, at, Array(text.utf8))
        }

        init(_ type: String, _ bytes: [UInt8?]) { (self.type, at, self.bytes) = (type, 0, bytes) }

        func fits(_ head: [UInt8]) -> Bool {
            head.count >= at + bytes.count
                && Swift.zip(head[at...], bytes).allSatisfy { $1 == nil || $0 == $1 }
        }
    }

    private static let magics: [Magic] = [
        Magic("image/png", [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]),
        Magic("image/jpeg", [0xFF, 0xD8, 0xFF]),
        Magic("image/gif", "GIF87a"), Magic("image/gif", "GIF89a"),
        Magic("image/webp", Array("RIFF".utf8) + [nil, nil, nil, nil] + Array("WEBP".utf8)),
        Magic("image/bmp", Array("BM".utf8) + [nil, nil, nil, nil, 0, 0, 0, 0]),
        Magic("image/tiff", [0x49, 0x49, 0x2A, 0]), Magic("image/tiff", [0x4D, 0x4D, 0, 0x2A]),
        Magic("image/x-icon", [0, 0, 1, 0, nil, 0]),
        Magic("image/vnd.adobe.photoshop", "8BPS"),
        Magic("audio/wav", Array("RIFF".utf8) + [nil, nil, nil, nil] + Array("WAVE".utf8)),
        Magic("video/x-msvideo", Array("RIFF".utf8) + [nil, nil, nil, nil] + Array("AVI ".utf8)),
        Magic("audio/aiff", Array("FORM".utf8) + [nil, nil, nil, nil] + Array("AIFF".utf8)),
        Magic("audio/mpeg", "ID3"), Magic("audio/flac", "fLaC"), Magic("audio/midi", "MThd"),
        Magic("application/pdf", "%PDF-"), Magic("application/postscript", "%!PS"),
        Magic("application/rtf", "{\\rtf"),
        Magic("application/gzip", [0x1F, 0x8B, 8]), Magic("application/x-bzip2", "BZh"),
        Magic("application/x-xz", [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0]),
        Magic("application/zstd", [0x28, 0xB5, 0x2F, 0xFD]),
        Magic("application/x-7z-compressed", [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C]),
        Magic("application/vnd.rar", [0x52, 0x61, 0x72, 0x21, 0x1A, 7]),
        Magic("application/x-tar", "ustar", at: 257),
        Magic("application/x-ole-storage", [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]),
        Magic("font/woff", "wOFF"), Magic("font/woff2", "wOF2"), Magic("font/otf", "OTTO"),
        Magic("font/ttf", [0, 1, 0, 0, 0]),
        Magic("application/x-elf", [0x7F, 0x45, 0x4C, 0x46]),
        Magic("application/vnd.microsoft.portable-executable", "MZ"),
        Magic("application/x-mach-binary", [0xCF, 0xFA, 0xED, 0xFE]),
        Magic("application/x-mach-binary", [0xCE, 0xFA, 0xED, 0xFE]),
        Magic("application/java-vm", [0xCA, 0xFE, 0xBA, 0xBE]),
        Magic("application/wasm", [0, 0x61, 0x73, 0x6D]), Magic("application/x-script", "#!"),
    ]

    private static func byMagic(_ head: [UInt8]) -> String? {
        if let magic = magics.first(where: { $0.fits(head) }) { return magic.type }
        // A frame of MPEG audio, layer 2 or 3, of a bit rate and a sampling rate that exist; or AAC in ADTS.
        if head.count >= 3, head[0] == 0xFF, head[1] & 0xF6 == 0xF0 { return "audio/aac" }
        if head.count >= 3, head[0] == 0xFF, head[1] & 0xE0 == 0xE0, [2, 4].contains(head[1] & 6),
            head[1] & 0x18 != 8,
            head[2] & 0xF0 != 0xF0, head[2] & 0xF0 != 0, head[2] & 0x0C != 0x0C
        {
            return "audio/mpeg"
        }
        return nil
    }

    // MARK: families of formats

    /// ISO base media (`ftyp`), Ogg, Matroska: the family is told by the first bytes, the member a little behind.
    private static func container(_ head: [UInt8]) -> String? {
        guard head.count >= 12 else { return nil }
        if text(head, 4..<8) == "ftyp" { return isoMedia(head) }
        if text(head, 0..<4) == "OggS" {
            let start = head.prefix(512)
            return start.firstRange(of: Array("theora".utf8)) != nil ? "video/ogg" : "audio/ogg"
        }
        if head.starts(with: [0x1A, 0x45, 0xDF, 0xA3]) {
            return head.prefix(64).firstRange(of: Array("webm".utf8)) != nil
                ? "video/webm" : "video/x-matroska"
        }
        return nil
    }

    private static func isoMedia(_ head: [UInt8]) -> String {
        switch text(head, 8..<12) {
        case "avif", "avis": "image/avif"
        case "heic", "heix", "hevc", "mif1", "msf1", "heim", "heis": "image/heic"
        case "M4A ", "M4B ": "audio/mp4"
        case "qt  ": "video/quicktime"
        case "3gp4", "3gp5", "3gp6", "3g2a": "video/3gpp"
        default: "video/mp4"
        }
    }

    /// Office documents and books are zip archives; which they are is told by the names of what is in them.
    private static func zip(_ head: [UInt8]) -> String? {
        guard head.starts(with: [0x50, 0x4B, 3, 4]) || head.starts(with: [0x50, 0x4B, 5, 6]) else {
            return nil
        }
        // OpenDocument and EPUB begin with a file `mimetype` that is not compressed.
        if head.count > 38, text(head, 30..<38) == "mimetype" {
            let type = head[38...].prefix { $0 > 0x20 && $0 < 0x7F && $0 != 0x50 }
            let name = String(decoding: type, as: UTF8.self)
            if name.hasPrefix("application/vnd.oasis.opendocument.") || name == "application/epub+zip" {
                return name
            }
        }
        let names = names(in: head)
        let places = [
            ("word/", "wordprocessingml.document"), ("xl/", "spreadsheetml.sheet"),
            ("ppt/", "presentationml.presentation"),
        ]
        for (folder, type) in places where names.contains(where: { $0.hasPrefix(folder) }) {
            return "application/vnd.openxmlformats-officedocument.\(type)"
        }
        return "application/zip"
    }

    /// The names in the local heads of a zip archive that can be found in its beginning.
    private static func names(in head: [UInt8]) -> [String] {
        var names: [String] = []
        var rest = head[...]
        while names.count < 64, let found = rest.firstRange(of: [0x50, 0x4B, 3, 4]) {
            let start = found.lowerBound
            guard head.count > start + 30 else { break }
            let length = Int(head[start + 26]) | Int(head[start + 27]) << 8
            guard head.count >= start + 30 + length else { break }
            names.append(String(decoding: head[start + 30..<start + 30 + length], as: UTF8.self))
            rest = head[(start + 30 + length)...]
        }
        return names
    }

    // MARK: text

    /// What a browser would take for a page if it were let: the marks of the WHATWG's sniffing standard.
    private static func markup(_ head: [UInt8]) -> String? {
        var start = head.prefix(1024)
        if start.starts(with: [0xEF, 0xBB, 0xBF]) { start = start.dropFirst(3) }
        start = start.drop { [0x09, 0x0A, 0x0C, 0x0D, 0x20].contains($0) }
        let text = String(decoding: start, as: UTF8.self).lowercased()
        guard text.hasPrefix("<") else { return nil }
        if text.contains("<svg") { return "image/svg+xml" }
        if text.hasPrefix("<?xml") {
            return text.contains("<html") ? "application/xhtml+xml" : "application/xml"
        }
        let tags = [
            "<!doctype html", "<html", "<head", "<script", "<iframe", "<h1", "<div", "<font", "<table", "<a",
            "<style",
            "<title", "<b", "<body", "<br", "<p", "<!--", "<img", "<form", "<meta", "<link", "<object",
            "<embed",
        ]
        for tag in tags where text.hasPrefix(tag) {
            let next = text.dropFirst(tag.count).first
            if tag == "<!--" || next == nil || next == ">" || next == "/" || next?.isWhitespace == true {
                return "text/html"
            }
        }
        return nil
    }

    /// UTF-8 without control characters, or with a mark of UTF-16 at its front.
    private static func text(_ head: [UInt8]) -> String? {
        if head.starts(with: [0xFE, 0xFF]) || head.starts(with: [0xFF, 0xFE]) { return "text/plain" }
        guard !head.isEmpty, !head.contains(where: { $0 < 0x20 && !textControls.contains($0) || $0 == 0x7F })
        else {
            return nil
        }
        // The last character may be cut in the middle.
        for cut in 0...3 where head.count > cut || cut == 0 {
            if String(validating: head.dropLast(cut), as: UTF8.self) != nil { return "text/plain" }
        }
        return nil
    }

    /// Tab, line feed, form feed, carriage return, escape.
    private static let textControls: Set<UInt8> = [0x09, 0x0A, 0x0C, 0x0D, 0x1B]

    private static func text(_ head: [UInt8], _ range: Range<Int>) -> String {
        String(decoding: head[range], as: UTF8.self)
    }
}
