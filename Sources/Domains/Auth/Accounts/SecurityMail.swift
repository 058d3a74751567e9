import Core
import Postgres
import Wire

/// Mails that tell a person what has happened to her account, each with the button "this was not me".
enum SecurityMail {
    /// What was changed; the mail says it in its own language.
    enum FactorChange: String {
        case added = "factor_added"
        case removed = "factor_removed"
        case recoveryCodesMade = "recovery_codes_made"
    }

    static func secondFactorChanged(
        _ change: FactorChange, _ user: UUID, _ visit: Visit, _ parts: AuthParts, at now: Timestamp,
        in tx: Transaction
    ) async throws {
        try await send(.mfaChanged, to: user, [change.rawValue: "yes"], visit, parts, at: now, in: tx)
    }

    static func passwordChanged(
        _ user: UUID, _ visit: Visit, _ parts: AuthParts, at now: Timestamp, in tx: Transaction
    ) async throws {
        try await send(.passwordChanged, to: user, [:], visit, parts, at: now, in: tx)
    }

    static func identityLinked(
        _ provider: String, _ user: UUID, _ visit: Visit, _ parts: AuthParts, at now: Timestamp,
        in tx: Transaction
    ) async throws {
        try await send(.identityLinked, to: user, ["provider": provider], visit, parts, at: now, in: tx)
    }

    private static func send(
        _ template: MailTemplate, to user: UUID, _ context: [String: String], _ visit: Visit,
        _ parts: AuthParts,
        at now: Timestamp, in tx: Transaction
    ) async throws {
        let rows = try await tx.query("SELECT email, name, locale FROM users WHERE id = \(user)")
        guard let row = rows.first, let email = try row.get("email", as: String?.self) else { return }
        let notMe = NotMe.issue(user: user, email: email, parts, at: now)
        let usual = ["address": visit.place, "at": now.description, "link": notMe.link]
        _ = try await tx.batch(
            notMe.sql + [
                try Mail.sql(
                    Mail.Message(
                        template, to: email, name: try row.get("name"), locale: try row.get("locale"),
                        context: usual.merging(context) { $1 }))
            ])
    }
}
