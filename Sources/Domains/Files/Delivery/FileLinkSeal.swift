import Core
import Crypto
import Wire

/// Makes and reads links that open one file without an account: company, file, manner and end, and a code over them.
struct FileLinkSeal: Sendable {
    struct Link: Equatable, Sendable {
        let company: UUID
        let file: UUID
        let manner: FileDelivery.Manner
        /// Nil for what is public as long as it is shown, such as a logo.
        let expiresAt: Timestamp?
    }

    private let base: String
    private let keys: [HMACKey]

    init(_ ring: KeyRing, publicURL: String) {
        // Links made before the keys were exchanged are good to their end.
        keys = ring.deriveAll("file links").map { HMACKey($0) }
        base = publicURL.hasSuffix("/") ? String(publicURL.dropLast()) : publicURL
    }

    func url(_ link: Link) -> String { "\(base)/v1/public/files/\(token(link))" }

    private func token(_ link: Link) -> String {
        let payload = Self.payload(link)
        return Base64.encode(payload + Self.code(payload, keys[0]), .url)
    }

    /// Nil for what was not made here. Whether it has expired is for the caller to see.
    func open(_ token: String) -> Link? {
        guard token.utf8.count < 200, let bytes = Base64.decode(token, .url),
            bytes.count == Self.payloadLength + Self.codeLength
        else { return nil }
        let payload = Array(bytes[..<Self.payloadLength])
        let given = Array(bytes[Self.payloadLength...])
        guard keys.contains(where: { constantTimeEquals(Self.code(payload, $0), given) }) else { return nil }
        let ids = [1, 17].compactMap { start in
            payload[start..<start + 16].withUnsafeBytes { UUID(bytes: $0) }
        }
        let seconds = payload[33...].reduce(into: Int64(0)) { $0 = $0 << 8 | Int64($1) }
        return Link(
            company: ids[0], file: ids[1], manner: payload[0] & 1 == 1 ? .inline : .attachment,
            expiresAt: payload[0] & 2 == 2 ? nil : Timestamp(seconds: seconds))
    }

    private static func code(_ payload: [UInt8], _ key: HMACKey) -> [UInt8] {
        Array(key.authenticate(payload).prefix(codeLength))
    }

    private static func payload(_ link: Link) -> [UInt8] {
        let flags: UInt8 = (link.manner == .inline ? 1 : 0) | (link.expiresAt == nil ? 2 : 0)
        let seconds = withUnsafeBytes(of: (link.expiresAt?.seconds ?? 0).bigEndian) { Array($0) }
        return [flags] + link.company.bytes + link.file.bytes + seconds
    }

    private static let payloadLength = 41
    /// 128 bits: a guess a second would take longer than there is time.
    private static let codeLength = 16
}
