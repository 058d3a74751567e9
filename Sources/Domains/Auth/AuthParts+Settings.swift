import Core
import Crypto
import Wire

extension AuthParts.Choices {
    struct MissingKey: Error, CustomStringConvertible {
        let name: String
        var description: String {
            "\(name) is not set, or not well written; docs/configuration.md says how to make one."
        }
    }

    /// What the operator has set; a key that is missing stops the start.
    init(_ settings: Settings) throws {
        guard let ring = settings.secretKey.flatMap({ KeyRing(setting: $0.revealed) }) else {
            throw MissingKey(name: "INFINITY_SECRET_KEY")
        }
        guard let pepper = settings.passwordPepper.flatMap({ Base64.decode($0.revealed) }) else {
            throw MissingKey(name: "INFINITY_PASSWORD_PEPPER")
        }
        self.init(
            publicURL: settings.publicURL.text, ring: ring, pepper: pepper, bcryptCost: settings.bcryptCost,
            accessTokenLife: .seconds(settings.accessTokenSeconds),
            sessionIdle: .seconds(settings.refreshTokenDays * 86_400),
            sessionLife: .seconds(settings.sessionDays * 86_400),
            confirmationLife: .seconds(settings.emailTokenMinutes * 60),
            resetLife: .seconds(settings.passwordResetMinutes * 60),
            webOrigins: settings.corsOrigins.map(\.text))
    }
}
