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
        providers = try Self.providers(settings)
        ssoAllowedRanges = settings.ssoAllowedRanges
        leakedPasswordsURL = settings.leakedPasswordsURL
    }

    /// A provider is there when its client id is set.
    private static func providers(_ settings: Settings) throws -> [IdentityProvider] {
        var providers: [IdentityProvider] = []
        func add(
            _ id: String, _ name: String, _ kind: IdentityProvider.Kind, _ issuer: String, _ client: String?,
            _ secret: Secret?
        ) {
            guard let client else { return }
            providers.append(
                IdentityProvider(
                    id: id, name: name, kind: kind, issuer: issuer, clientId: client,
                    clientSecret: secret?.revealed,
                    method: "social", believedDomains: nil))
        }
        add(
            "google", "Google", .openID, "https://accounts.google.com", settings.googleClientId,
            settings.googleClientSecret)
        add(
            "microsoft", "Microsoft", .microsoft,
            "https://login.microsoftonline.com/\(settings.microsoftTenant)/v2.0",
            settings.microsoftClientId, settings.microsoftClientSecret)
        let gitHub = settings.gitHubURL?.text ?? "https://github.com"
        add(
            "github", "GitHub",
            .github(api: gitHub == "https://github.com" ? "https://api.github.com" : gitHub + "/api/v3"),
            gitHub,
            settings.gitHubClientId, settings.gitHubClientSecret)
        if settings.oidcClientId != nil {
            guard let issuer = settings.oidcIssuer else { throw MissingKey(name: "INFINITY_OIDC_ISSUER") }
            add("oidc", settings.oidcName, .openID, issuer, settings.oidcClientId, settings.oidcClientSecret)
        }
        return providers
    }
}
