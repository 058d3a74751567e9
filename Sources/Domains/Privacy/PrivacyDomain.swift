import API
import Core

public enum PrivacyDomain: Domain {
    public static let name = "Privacy"
    public static let summary = "Export and erasure of personal data, retention and consent."

    public static var routes: [Route] { [] }
}
