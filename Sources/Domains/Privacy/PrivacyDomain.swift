import API
import Core

/// What people may ask of those who hold data about them: a copy, to be forgotten, and what they agreed to; and how
/// long what kind of data is kept.
public enum PrivacyDomain: Domain {
    public static let name = "Privacy"
    public static let summary = "Export and erasure of personal data, retention and consent."

    public static var routes: [Route] { [] }

    public static let personalData = PersonalData.ofCore
}
