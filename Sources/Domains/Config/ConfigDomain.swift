import API
import Core
import Postgres

/// How the product behaves for whom: quotas, settings and feature flags.
///
/// Owns company_plans, plan_limits, the quota tables, settings, flags, segments and their histories. Other domains ask
/// through the ports in Core: `Quotas`, `Flags`, `LiveSetting`.
public enum ConfigDomain: Domain {
    public static let name = "Config"
    public static let summary = "Settings, feature flags and quotas."

    public static var routes: [Route] {
        ofCompany + ofSystem
    }

    private static var ofCompany: [Route] {
        QuotaRoutes.routes + FeatureFlags.ofCompany.routes + FlagPreview.ofCompany.routes
            + Segments.ofCompany.routes
            + OFREP.routes + Features.routes + SettingRoutes.ofCompany.routes + ConfigChanges.ofCompany.routes
    }

    /// What those who run the installation set.
    private static var ofSystem: [Route] {
        FeatureFlags.ofSystem.routes + FlagPreview.ofSystem.routes + Segments.ofSystem.routes
            + SettingRoutes.ofSystem.routes + ConfigChanges.ofSystem.routes + PlanRoutes.routes
            + SystemPages.routes
    }

    public static let permissions: [Permission] = Permission.ofConfig
    public static let problems: [ProblemCode] = ProblemCode.ofConfig
    public static let constraints = ConstraintProblem.ofConfig
    public static let quotas: [Quota] = [.featureFlags]
    public static let settings = DeclaredSettings.all
    public static let jobs = [ConfigApplier.handler]
    public static let events = [QuotaAlert.event.erased]
    public static let notifications = [QuotaAlert.notification]
    public static let workers = [QuotaSweep.worker, CacheNews.trim]

    public static func start(_ environment: inout Environment) async throws {
        let (database, news) = (environment[Database.self], environment[CacheNews.self])
        environment.set(FlagStore(database, news))
        environment.set(LiveSettings(database, news))
    }
}
