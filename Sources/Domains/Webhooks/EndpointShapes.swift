import API
import Core
import Postgres
import Wire

/// Why an endpoint gets nothing.
enum DisabledReason: String, Codable, CaseIterable, SQLBindable, RowValue, Sendable {
    case manual, failing, gone
}

/// Where a company wants its events sent.
struct WebhookEndpoint: Codable, Sendable, FieldNotes {
    let id: UUID
    let url: String
    let description: String
    let eventTypes: [String]
    let channels: [String]
    let headerNames: [String]
    let throttlePerSecond: Int?
    let isActive: Bool
    let disabledReason: DisabledReason?
    let disabledAt: Timestamp?
    let signature: SignatureScheme
    let publicKey: String?
    let oldSecretUntil: Timestamp?
    let secretRotatedAt: Timestamp?
    let version: Int64
    let createdAt: Timestamp
    let updatedAt: Timestamp

    static let fieldNotes = [
        "event_types": "Empty for all. `team.*` stands for all that begin with `team.`.",
        "channels": "Empty for all; else only messages about one of these things, as `team:<id>`.",
        "header_names": "The endpoint's own header fields; their values are not shown again.",
        "throttle_per_second": "The most deliveries a second; null for no limit.",
        "disabled_reason":
            "`manual`, `failing` (five days without one success) or `gone` (it answered 410); null while it is active.",
        "signature": "`v1`: HMAC-SHA256 with a shared secret; `v1a`: Ed25519.",
        "public_key": "`whpk_…`, to verify `v1a`.",
        "old_secret_until": "Until then messages are signed by the former secret too.",
    ]

    static let columns: SQL = """
        id, url, description, event_types, channels, header_names, throttle_per_second, is_active, disabled_reason,
        disabled_at, signature, public_key, CASE WHEN old_secret_until > now() THEN old_secret_until END AS old_secret_until,
        secret_rotated_at, version, created_at, updated_at
        """
}

struct NewWebhookEndpoint: Codable, Sendable, FieldNotes {
    let url: WebURL
    let description: OptionalText<200>?
    let eventTypes: UpTo<100, EventTypePattern>?
    let channels: UpTo<20, ChannelName>?
    let headers: UpTo<10, HeaderField>?
    let throttlePerSecond: Whole<1, 1000>?
    let signature: SignatureScheme?
    let secret: OfferedSecret?
    let isActive: Bool?

    static let fieldNotes = [
        "secret":
            "To use one you have already: `whsec_` and base64 of 24 to 64 bytes. Without it one is made.",
        "signature": "Without it `v1`.",
    ]
}

struct WebhookEndpointChange: Codable, Sendable {
    let url: WebURL?
    let description: OptionalText<200>?
    let eventTypes: UpTo<100, EventTypePattern>?
    let channels: UpTo<20, ChannelName>?
    let headers: UpTo<10, HeaderField>?
    let throttlePerSecond: Clearable<Whole<1, 1000>>
    let isActive: Bool?
}

/// A new endpoint with its secret, this once.
struct WebhookEndpointSecret: Codable, Sendable, FieldNotes {
    let id: UUID
    let url: String
    let signature: SignatureScheme
    let secret: String?
    let publicKey: String?
    let oldSecretUntil: Timestamp?

    static let fieldNotes = [
        "secret": "`whsec_…` for `v1`. The private half of `v1a` never leaves us: verify with `public_key`."
    ]
}

/// The name of a type of event, or the beginning of several: `team.created`, `team.*`.
struct EventTypePattern: TextValue {
    let text: String
    init(unchecked text: String) { self.text = text }

    static var rule: TextRule {
        TextRule(length: 1...100, pattern: #"^[a-z0-9_]+(\.[a-z0-9_]+)*(\.\*)?$"#) { fault($0) }
    }
    static var exampleText: String { "team.*" }

    private static func fault(_ text: String) -> String? {
        let name = text.hasSuffix(".*") ? String(text.dropLast(2)) : text
        let isName = name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty
                && part.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 }
        }
        return isName ? nil : "is no name like team.created or team.*"
    }
}

/// What a message is about, in the words of its channels: `team:0193…`.
struct ChannelName: TextValue {
    let text: String
    init(unchecked text: String) { self.text = text }

    static var rule: TextRule {
        TextRule(length: 1...128, pattern: "^[A-Za-z0-9_.:-]+$") { text in
            let isPlain = text.utf8.allSatisfy {
                (97...122).contains($0) || (65...90).contains($0) || (48...58).contains($0)
                    || [45, 46, 95].contains($0)
            }
            return isPlain ? nil : "may have letters, digits and _ . : - alone"
        }
    }
    static var exampleText: String { "team:01939d2c-7f4e-7a61-9c0b-5f2f0d9b3c11" }
}

/// A secret the company brings along; it prints as stars.
struct OfferedSecret: TextValue {
    let text: String
    init(unchecked text: String) { self.text = text }

    static var rule: TextRule {
        TextRule(length: 37...120, format: "password") { text in
            SigningSecret(text) == nil
                ? "must be whsec_ and base64 of 24 to 64 bytes, or whsk_ and base64 of an Ed25519 key" : nil
        }
    }
    static var exampleText: String { "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=" }
    var description: String { "***" }
}
