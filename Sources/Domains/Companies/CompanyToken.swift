import Crypto
import Wire

/// The secret of an invitation, a join link or a transfer. It names its company in the clear, so that looking it up
/// is a query inside that company and needs no table over all of them; what proves anything is the secret behind it.
struct CompanyToken {
    enum Kind: String {
        case invitation = "inv"
        case joinLink = "join"
        case transfer = "own"
    }

    let company: UUID
    let text: String

    /// What is stored in place of the token.
    var digest: [UInt8] { OpaqueToken.digest(text).bytes }

    static func make(_ kind: Kind, company: UUID) -> CompanyToken {
        CompanyToken(
            company: company,
            text: "\(kind.rawValue)_\(Base64.encode(company.bytes, .url)).\(OpaqueToken.make())")
    }

    /// Nil when `text` does not have the form of such a token.
    init?(_ text: String, _ kind: Kind) {
        let prefix = kind.rawValue + "_"
        guard text.hasPrefix(prefix), text.utf8.count <= 128,
            let dot = text.firstIndex(of: "."),
            let bytes = Base64.decode(text[text.index(text.startIndex, offsetBy: prefix.count)..<dot], .url),
            let company = bytes.withUnsafeBytes({ UUID(bytes: $0) })
        else { return nil }
        self.init(company: company, text: text)
    }

    private init(company: UUID, text: String) {
        self.company = company
        self.text = text
    }
}
