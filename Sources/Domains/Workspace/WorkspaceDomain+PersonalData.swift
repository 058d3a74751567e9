import Core

/// What the workspace holds about people.
extension WorkspaceDomain {
    public static let personalData: [PersonalData] = [
        .none("tags", "the company's own words"),
        .none("custom_fields", "the company's own fields"),
    ]
}
