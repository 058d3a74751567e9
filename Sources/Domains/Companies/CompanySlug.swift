import Crypto

/// The name of a company as it may stand in an address: `Café Müller & Söhne` becomes `cafe-mueller-soehne`.
enum CompanySlug {
    static let lengthMax = 48

    static func of(_ name: String) -> String {
        var slug = ""
        for character in name.lowercased() {
            let spelt = spelling[character] ?? String(character)
            for byte in spelt.utf8 {
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                    slug.unicodeScalars.append(Unicode.Scalar(byte))
                case _ where !slug.isEmpty && slug.last != "-":
                    slug.append("-")
                case _:
                    continue
                }
            }
        }
        slug = String(slug.prefix(lengthMax))
        while slug.last == "-" { slug.removeLast() }
        return slug.isEmpty ? "company" : slug
    }

    /// Another one for the same name, when the plain one is taken.
    static func another(_ slug: String) -> String {
        "\(slug.prefix(lengthMax - 5))-\(RandomBytes.digits(4))"
    }

    private static let spelling: [Character: String] = [
        "ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "à": "a", "á": "a", "â": "a", "ã": "a", "å": "a",
        "æ": "ae",
        "ç": "c", "è": "e", "é": "e", "ê": "e", "ë": "e", "ì": "i", "í": "i", "î": "i", "ï": "i", "ñ": "n",
        "ò": "o",
        "ó": "o", "ô": "o", "õ": "o", "ø": "o", "œ": "oe", "ù": "u", "ú": "u", "û": "u", "ý": "y", "ÿ": "y",
        "ł": "l",
        "ś": "s", "š": "s", "ž": "z", "ź": "z", "ż": "z", "č": "c", "ć": "c", "ě": "e", "ř": "r", "ů": "u",
        "&": "-",
        "'": "", "’": "",
    ]
}
