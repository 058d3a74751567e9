/// Keeps secrets out of the log and out of printed settings.
public enum Secrets {
    public static let mask = "***"

    /// Parts of a key that make its value a secret.
    private static let words = [
        "password", "passwd", "secret", "token", "authorization", "cookie", "api_key", "apikey",
        "private_key",
        "credential", "pepper", "signature", "otp", "recovery_code",
    ]

    /// Whether a value under this key must not be shown.
    public static func isSecret(key: String) -> Bool {
        let key = key.lowercased().replacing("-", with: "_")
        return words.contains { key.contains($0) }
    }

    /// The text with the password of every URL in it masked: `postgres://user:***@host/db`.
    public static func masked(_ text: String) -> String {
        guard text.contains("://") else { return text }
        var out = ""
        var rest = text[...]
        while let scheme = rest.firstRange(of: "://") {
            out += rest[..<scheme.upperBound]
            rest = rest[scheme.upperBound...]
            let authority = rest.prefix { !$0.isWhitespace && !"/?#\"'".contains($0) }
            guard let at = authority.lastIndex(of: "@"), let colon = authority[..<at].firstIndex(of: ":")
            else {
                continue
            }
            out += rest[...colon] + mask
            rest = rest[at...]
        }
        return out + rest
    }
}
