import API
import Core
import Crypto

extension Settings {
    /// The keys as a ring; they were checked when the settings were read.
    public var keyRing: KeyRing {
        guard let ring = self.secretKey.flatMap({ KeyRing(setting: $0.revealed) }) else {
            preconditionFailure("settings without keys were let through to the start")
        }
        return ring
    }

    /// What the API needs to know of this deployment.
    func api(version: String) -> APIConfiguration {
        let ring = keyRing
        var configuration = APIConfiguration(secret: ring.derive("api"), keyRing: ring)
        configuration.version = version
        configuration.publicURL = self.publicURL.text
        configuration.allowedOrigins = Set(self.corsOrigins.map(\.text))
        configuration.isDevelopment = self.mode == .development
        configuration.limitsRates = self.rateLimits
        configuration.metricsAccess = metrics
        configuration.docsFolder = self.docsDirectory ?? ShippedFiles.documentationAssets
        configuration.hstsSeconds = self.publicURL.isSecure ? configuration.hstsSeconds : 0
        return configuration
    }

    private var metrics: APIConfiguration.MetricsAccess {
        switch self.metricsAccess {
        case .loopback: .loopback
        case .open: .open
        case .off: .off
        // Without a token nobody could be let in; the settings were refused before it came to this.
        case .token: self.metricsToken.map { .token($0.revealed) } ?? .off
        }
    }
}
