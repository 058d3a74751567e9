import API
import Core
import Wire

/// What this domain lets people set.
enum DeclaredSettings {
    static let fourEyes = LiveSetting(
        "config.four_eyes", "Changes of feature flags and settings must be proposed by one and approved by another",
        default: false, scopes: [.system, .company])
    static let theme = LiveSetting(
        "interface.theme", "Light or dark, or as the device has it", default: Theme.device, scopes: [.system, .company, .user])

    enum Theme: String, Codable, CaseIterable, Sendable {
        case device, light, dark
    }

    static let all = [fourEyes.erased, theme.erased]
}

/// Whether changes need a second pair of eyes.
enum Approvals {
    static func areRequired(_ owner: UUID, _ live: LiveSettings) async throws -> Bool {
        owner == FlagStore.system
            ? live.system(DeclaredSettings.fourEyes)
            : try await live.value(DeclaredSettings.fourEyes, company: owner)
    }
}
