import API
import Crypto
import Postgres
import Wire

/// How messages are signed (Standard Webhooks): `v1` by a secret both sides have, `v1a` by a key pair of which the
/// receiver has the public half.
enum SignatureScheme: String, Codable, CaseIterable, SQLBindable, RowValue, Sendable {
    case v1, v1a
}

/// A secret that messages to one endpoint are signed with.
struct SigningSecret: Sendable {
    private enum Key: Sendable {
        case shared([UInt8], HMACKey)
        case pair(Ed25519Key)
    }

    private let key: Key

    /// Standard Webhooks: 24 to 64 bytes.
    static let sharedBytes = 24...64

    private init(_ key: Key) { self.key = key }

    static func make(_ scheme: SignatureScheme) -> SigningSecret {
        switch scheme {
        case .v1:
            let bytes = RandomBytes.make(32)
            return SigningSecret(.shared(bytes, HMACKey(bytes)))
        case .v1a: return SigningSecret(.pair(.make()))
        }
    }

    /// Reads `whsec_…` or `whsk_…`; nil when it is neither, or of a wrong length.
    init?(_ text: String) {
        if text.hasPrefix("whsec_") {
            guard let bytes = Base64.decode(text.dropFirst(6)), Self.sharedBytes.contains(bytes.count) else {
                return nil
            }
            key = .shared(bytes, HMACKey(bytes))
            return
        }
        // Some tools write the seed alone, others seed and public key.
        guard text.hasPrefix("whsk_"), let bytes = Base64.decode(text.dropFirst(5)),
            [32, 64].contains(bytes.count),
            let pair = Ed25519Key(seed: Array(bytes.prefix(32))),
            bytes.count == 32 || Array(bytes.suffix(32)) == pair.publicKey
        else { return nil }
        key = .pair(pair)
    }

    var scheme: SignatureScheme {
        switch key {
        case .shared: .v1
        case .pair: .v1a
        }
    }

    /// As it is kept, sealed, and for `v1` shown to the receiver.
    var text: String {
        switch key {
        case .shared(let bytes, _): "whsec_" + Base64.encode(bytes)
        case .pair(let pair): "whsk_" + Base64.encode(pair.seed + pair.publicKey)
        }
    }

    /// `whpk_…`, for the receivers of `v1a`.
    var publicKey: String? {
        if case .pair(let pair) = key { "whpk_" + Base64.encode(pair.publicKey) } else { nil }
    }

    /// One entry of the field `webhook-signature`.
    func signature(of message: [UInt8]) -> String {
        switch key {
        case .shared(_, let key): "v1," + Base64.encode(key.authenticate(message))
        case .pair(let pair): "v1a," + Base64.encode(pair.sign(message))
        }
    }
}

/// `{id}.{timestamp}.{body}`, and the fields that go with it.
struct SignedMessage {
    let id: String
    let seconds: Int64
    let signatures: String

    init(id: String, seconds: Int64, body: [UInt8], _ secrets: [SigningSecret]) {
        self.id = id
        self.seconds = seconds
        let signed = Array("\(id).\(seconds).".utf8) + body
        signatures = secrets.map { $0.signature(of: signed) }.joined(separator: " ")
    }

    var headers: [(name: String, value: String)] {
        [("webhook-id", id), ("webhook-timestamp", String(seconds)), ("webhook-signature", signatures)]
    }
}
