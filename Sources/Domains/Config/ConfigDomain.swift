import API
import Core

/// How the product behaves for whom: quotas, settings and feature flags.
///
/// Owns company_plans, plan_limits, the quota tables, settings, flags, segments and their histories. Other domains ask
/// through the ports in Core: `Quotas`, `Flags`, `LiveSetting`.
public enum ConfigDomain: Domain {
    public static let name = "Config"
    public static let summary = "Settings, feature flags and quotas."

    public static var routes: [Route] { QuotaRoutes.routes }
    public static let permissions: [Permission] = [.quotasRead]
    public static let problems: [ProblemCode] = [.quotaUsedUp]
    public static let quotas: [Quota] = [.featureFlags]
    public static let workers = [QuotaSweep.worker, CacheNews.trim]
}
