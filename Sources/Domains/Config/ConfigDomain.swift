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
        QuotaRoutes.routes + FeatureFlags.ofCompany.routes + Segments.ofCompany.routes + OFREP.routes
    }

    public static let permissions: [Permission] = Permission.ofConfig
    public static let problems: [ProblemCode] = ProblemCode.ofConfig
    public static let constraints = ConstraintProblem.ofConfig
    public static let quotas: [Quota] = [.featureFlags]
    public static let workers = [QuotaSweep.worker, CacheNews.trim]

    public static func start(_ environment: inout Environment) async throws {
        environment.set(FlagStore(environment[Database.self], environment[CacheNews.self]))
    }
}
