import API
import Core
import Wire

/// What this domain lets people set.
enum DeclaredSettings {
    static let fourEyes = LiveSetting(
        "config.four_eyes",
        "Changes of feature flags and settings must be proposed by one and approved by another",
        default: false, scopes: [.system, .company])
    static let theme = LiveSetting(
        "interface.theme", "Light or dark, or as the device has it", default: Theme.device,
        scopes: [.system, .company, .user])

    static let userRate = rate("rates.user_per_minute", "Requests a person may make in a minute", 600)
    static let keyRate = rate("rates.api_key_per_minute", "Requests an API key may make in a minute", 600)
    static let companyRate = rate(
        "rates.company_per_minute", "Requests all of a company may make in a minute", 6000)
    static let planRates = LiveSetting(
        "rates.company_per_minute_by_plan", "The same for companies on certain plans, by the plan's name",
        default: [String: PerMinute](), scopes: [.system])

    typealias PerMinute = Whole<1, 1_000_000>

    private static func rate(_ name: String, _ summary: String, _ quota: Int) -> LiveSetting<PerMinute> {
        LiveSetting(name, summary, default: Whole(unchecked: quota), scopes: [.system])
    }

    enum Theme: String, Codable, CaseIterable, Sendable {
        case device, light, dark
    }

    static let all = [
        fourEyes.erased, theme.erased, userRate.erased, keyRate.erased, companyRate.erased, planRates.erased,
    ]
}

/// Whether changes need a second pair of eyes.
enum Approvals {
    static func areRequired(_ owner: UUID, _ live: LiveSettings) async throws -> Bool {
        owner == FlagStore.system
            ? live.system(DeclaredSettings.fourEyes)
            : try await live.value(DeclaredSettings.fourEyes, company: owner)
    }
}

extension ConfigDomain {
    /// Keeps the limits on requests as operators have set them.
    public static func govern(_ rates: Rates, by settings: LiveSettings) {
        settings.onSystemChange { settings in
            rates.set(
                quotas: [
                    "default": settings.system(DeclaredSettings.userRate).value,
                    "api-key": settings.system(DeclaredSettings.keyRate).value,
                    "company": settings.system(DeclaredSettings.companyRate).value,
                ],
                byPlan: settings.system(DeclaredSettings.planRates).mapValues(\.value))
        }
    }
}
