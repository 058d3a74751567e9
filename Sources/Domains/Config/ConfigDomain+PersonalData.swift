import Core

extension ConfigDomain {
    public static let personalData: [PersonalData] = [
        .none("company_plans", "the plan a company is on"),
        .none("plan_limits", "the limits of each plan"),
        .none("quota_overrides", "a company's exceptions from its plan"),
        .none("quota_grants", "what was granted to a company on top of its plan"),
        .none("quota_counters", "what a company has used"),
        .none("quota_reservations", "amounts set aside for work under way"),
        .none("cache_news", "which things in memory have changed"),
    ]
}
