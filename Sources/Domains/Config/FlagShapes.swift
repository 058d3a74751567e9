import API
import Core
import Postgres
import Wire

/// A flag's name in code: it cannot be changed.
struct FlagKey: TextValue {
    let text: String
    init(unchecked text: String) { self.text = text }

    static var rule: TextRule {
        TextRule(length: 1...60, pattern: "^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$") { text in
            isSound(text)
                ? nil
                : "may have lower-case letters and digits, and between them hyphens, dots and underscores"
        }
    }

    private static func isSound(_ text: String) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last else { return false }
        return isPlain(first) && isPlain(last)
            && text.utf8.allSatisfy { isPlain($0) || "-._".utf8.contains($0) }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    static var exampleText: String { "new-checkout" }
}

enum FlagKind: String, Codable, CaseIterable, SQLBindable, Sendable {
    /// Hides what is not finished; it goes when everybody has it.
    case release
    case experiment
    /// Turns load down in an emergency.
    case ops
    case killSwitch = "kill_switch"
    /// Gives something to some for good.
    case permission
}

struct FeatureFlag: Codable, Sendable, FieldNotes {
    let id: UUID
    let key: FlagKey
    let kind: FlagKind
    let description: String?
    let owner: String?
    let isOn: Bool
    let needsApproval: Bool
    let rules: FlagRules
    let staleAt: Timestamp?
    let archivedAt: Timestamp?
    let lastSeenAt: Timestamp?
    let evaluations: Int64
    let version: Int64
    let createdAt: Timestamp
    let updatedAt: Timestamp

    static let fieldNotes = [
        "owner": "Who answers for it.",
        "needs_approval":
            "A change must be proposed at /v1/config-changes and approved by somebody else. Switching off never waits.",
        "stale_at": "From then on it should be gone; the list with `is_stale=true` holds it.",
        "last_seen_at": "When it was last asked for, to about ten seconds.",
    ]
}

struct NewFlag: Codable, Sendable {
    let key: FlagKey
    let kind: FlagKind?
    let description: Prose<1000>?
    let owner: OptionalText<120>?
    let isOn: Bool?
    let needsApproval: Bool?
    let rules: FlagRules?
    let staleAt: Timestamp?
}

struct FlagChange: Codable, Sendable {
    let kind: FlagKind?
    let description: Clearable<Prose<1000>>
    let owner: Clearable<OptionalText<120>>
    let needsApproval: Bool?
    let staleAt: Clearable<Timestamp>
    let isArchived: Bool?
}

struct FlagSwitch: Codable, Sendable {
    let isOn: Bool
}

/// What a change may do to a flag, now or later.
struct FlagEdit: Codable, Sendable {
    var isOn: Bool?
    var rules: FlagRules?
}

struct FlagVersion: Codable, Sendable {
    let version: Int64
    let action: String
    let isOn: Bool
    let rules: FlagRules
    let actorKind: String
    let actorId: UUID?
    let at: Timestamp
}

struct FlagQuestion: Codable, Sendable, FieldNotes {
    let context: [String: JSON]

    static let fieldNotes = [
        "context":
            "Attributes by name: `targetingKey`, `user`, `company`, `plan`, `roles`, or the caller's own."
    ]
}

struct FlagExplained: Codable, Sendable {
    let decision: FlagDecision
    let steps: [FlagExplanation.Step]
    let setVersion: Int64
}
