import Core

extension ConfigDomain {
    public static let personalData: [PersonalData] = [
        .none("company_plans", "the plan a company is on"),
        .none("plan_limits", "the limits of each plan"),
        .none("quota_overrides", "a company's exceptions from its plan"),
        .none("quota_grants", "what was granted to a company on top of its plan"),
        .none("quota_counters", "what a company has used"),
        .none("quota_reservations", "amounts set aside for work under way"),
        .none("config_versions", "how often flags and settings have changed"),
        .none("feature_flags", "feature flags", hiding: ["salt"]),
        PersonalData(
            "flag_versions", "Who changed a feature flag", of: .user("actor_id"),
            erase: .keep(
                "Who changed how the product behaves has to stay known. It names people by their id.")),
        .none("flag_sightings", "when a feature flag was last asked for"),
        .none("segments", "groups that feature flags go by"),
        PersonalData(
            "config_changes", "Changes of flags and settings somebody proposed or decided",
            of: .user("proposed_by"),
            .user("decided_by"),
            erase: .keep(
                "Who asked for a change and who agreed has to stay known. It names people by their id.")),
        PersonalData(
            "settings", "What somebody has set for themselves", of: .user("scope_id"), erase: .delete),
        PersonalData(
            "setting_versions", "Settings somebody has changed", of: .user("actor_id"), .user("scope_id"),
            erase: .keep(
                "Who changed how the product behaves has to stay known. It names people by their id.")),
        .none("rate_exchange", "how often callers have asked, in the last seconds"),
        .none("cache_news", "which things in memory have changed"),
    ]
}
