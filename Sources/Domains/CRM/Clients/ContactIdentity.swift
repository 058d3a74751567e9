import API
import Postgres
import Wire

/// What a person is known by.
enum IdentityKind: String, Codable, CaseIterable, SQLBindable, Sendable {
    case email, phone, external

    /// The form to compare by; nil when the text is nothing of this kind.
    func normal(_ text: String) -> String? {
        let text = text.trimmed()
        switch self {
        case .email: return Email(text)?.normalized
        case .phone: return Self.phone(text)
        case .external: return Text<200>(text)?.text
        }
    }

    /// A number as in E.164: digits behind a plus. Without the code of its country it keeps its digits alone.
    private static func phone(_ text: String) -> String? {
        var digits = ""
        // +49 (0)30: the nought is not dialled from abroad.
        let whole = text.hasPrefix("+") || text.hasPrefix("00") ? text.replacing("(0)") : text
        for scalar in whole.unicodeScalars {
            switch scalar {
            case "0"..."9": digits.unicodeScalars.append(scalar)
            case "+" where digits.isEmpty, " ", "\u{A0}", "-", "–", "/", "(", ")", ".": break
            default: return nil
            }
        }
        let isInternational = whole.hasPrefix("+") || digits.hasPrefix("00")
        if digits.hasPrefix("00") { digits.removeFirst(2) }
        guard (3...15).contains(digits.utf8.count) else { return nil }
        return isInternational ? "+\(digits)" : digits
    }
}

extension String {
    /// Without this piece, wherever it stands.
    fileprivate func replacing(_ piece: String) -> String {
        var rest = self[...]
        var kept = ""
        while let first = rest.first {
            if rest.hasPrefix(piece) {
                rest = rest.dropFirst(piece.count)
            } else {
                kept.append(first)
                rest = rest.dropFirst()
            }
        }
        return kept
    }
}

/// One identity of a contact, ready to be written.
struct Identity: Hashable, Sendable {
    let kind: IdentityKind
    let value: String
    let norm: String

    init?(_ kind: IdentityKind, _ value: String) {
        guard let norm = kind.normal(value) else { return nil }
        (self.kind, self.value, self.norm) = (kind, value.trimmed(), norm)
    }

    static func == (one: Identity, other: Identity) -> Bool {
        one.kind == other.kind && one.norm == other.norm
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(kind)
        hasher.combine(norm)
    }

    /// The order in which all writers write, so that two of them never wait for each other in a circle.
    static func isBefore(_ one: Identity, _ other: Identity) -> Bool {
        (one.kind.rawValue, one.norm) < (other.kind.rawValue, other.norm)
    }
}
