import API
import Core

public enum ConfigDomain: Domain {
    public static let name = "Config"
    public static let summary = "Settings, feature flags and quotas."

    public static var routes: [Route] { [] }
}
