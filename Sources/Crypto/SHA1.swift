import COpenSSL

/// For the one list that is kept by it. It protects nothing: collisions are made at will.
public enum SHA1 {
    public static func digest(_ text: String) -> [UInt8] {
        var text = text
        var out = [UInt8](repeating: 0, count: 20)
        let isMade = text.withUTF8 { EVP_Q_digest(nil, "SHA1", nil, $0.baseAddress, $0.count, &out, nil) }
        precondition(isMade == 1, "libcrypto has no SHA-1")
        return out
    }
}
