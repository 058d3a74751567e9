/// Letters as they are compared: small, and without what stands above or below them.
enum WordFolding {
    /// What a scalar adds to a word: nothing for a mark upon the letter before it; nil when it stands between words.
    static func folded(_ scalar: Unicode.Scalar) -> String? {
        switch scalar.value {
        case 0x30...0x39, 0x61...0x7A: return String(scalar)
        case 0x41...0x5A: return String(Unicode.Scalar(UInt8(scalar.value) | 0x20))
        case 0...0x7F: return nil
        case 0x300...0x36F: return ""
        case 0xC0..<0x250: if let letters = latin(scalar, letters: extended, from: 0xC0) { return letters }
        case 0x1E00..<0x1F00:
            if let letters = latin(scalar, letters: additional, from: 0x1E00) { return letters }
        default: break
        }
        let properties = scalar.properties
        if properties.isAlphabetic || properties.numericType != nil { return properties.lowercaseMapping }
        switch properties.generalCategory {
        case .nonspacingMark, .spacingMark: return String(scalar)
        default: return nil
        }
    }

    private static func latin(_ scalar: Unicode.Scalar, letters: [UInt8], from first: UInt32) -> String? {
        switch letters[Int(scalar.value - first)] {
        case UInt8(ascii: "."): nil
        case UInt8(ascii: "+"): ligatures[scalar]
        case let letter: String(Unicode.Scalar(letter))
        }
    }

    private static let ligatures: [Unicode.Scalar: String] = [
        "ß": "ss", "ẞ": "ss", "æ": "ae", "Æ": "ae", "ǽ": "ae", "Ǽ": "ae", "ǣ": "ae", "Ǣ": "ae", "œ": "oe",
        "Œ": "oe",
        "þ": "th", "Þ": "th", "ĳ": "ij", "Ĳ": "ij",
    ]

    /// The letter beneath each scalar from U+00C0; `.` for none, `+` for two of them.
    private static let extended = [UInt8](
        ("aaaaaa+ceeeeiiiidnooooo.ouuuuy++aaaaaa+ceeeeiiiidnooooo.ouuuuy+yaaaaaaccccccccddddeeeeeeeeeegggg"
            + "gggghhhhiiiiiiiiii++jjkkkllllllllllnnnnnnnnnoooooo++rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs"
            + "..................f.............oo.............uu............................aaiioouuuuuuuuuu.aa"
            + "aa++..ggkkoooo..j...gg..nnaa++ooaaaaeeeeiiiioooorrrruuuusstt..hh......aaeeooooooooyy............"
            + "................").utf8)

    /// The same from U+1E00.
    private static let additional = [UInt8](
        ("aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmmmmmmnnnnnnnnoooooooopppprrrrrrrr"
            + "ssssssssssttttttttuuuuuuuuuuvvvvwwwwwwwwwwxxxxyyzzzzzzhtwy.s..+daaaaaaaaaaaaaaaaaaaaaaaaeeeeeeee"
            + "eeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy......").utf8)
}
