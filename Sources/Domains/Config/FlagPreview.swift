import API
import Core
import Postgres
import Wire

/// How many people a change of a flag would reach, before it is made.
struct FlagPreview: Sendable {
    let base: String
    let whose: Owner
    let access: Access

    static let ofSystem = FlagPreview(base: "/v1/system/feature-flags", whose: .system, access: .operator)
    static let ofCompany = FlagPreview(base: "/v1/feature-flags", whose: .company, access: .can(.flagsRead))

    @RouteList var routes: [Route] {
        POST("\(base)/{key}/preview", "Count whom a change of a feature flag would reach", access, preview)
            .describe(
                """
                Decides for everybody there is now, by the rules as they are and as they would be: the company's active \
                members, and for the product's own flags whoever has been signed in within thirty days. Nothing is changed.
                """
            )
            .example(body: ["is_on": true, "rules": FlagExamples.rules["rules"] ?? .null])
    }

    struct Question: Codable, Sendable {
        let isOn: Bool?
        let rules: FlagRules?
        /// Further contexts to decide for: a company's own customers, whom we do not know.
        let contexts: UpTo<1000, [String: JSON]>?
    }

    struct Radius: Codable, Sendable, FieldNotes {
        let people: Int
        let companies: Int
        let contexts: Int
        let changedPeople: Int
        let changedCompanies: Int
        let changedContexts: Int
        let before: [String: Int]
        let after: [String: Int]
        let isComplete: Bool

        static let fieldNotes = [
            "changed_people": "Who would get another answer than now.",
            "changed_companies": "Companies in which somebody would.",
            "before": "How often each variant is answered now.", "after": "And how often it would be.",
            "is_complete": "False when there are more people than were looked at.",
        ]
    }

    func preview(_ call: Call, _ key: Path<Text<60>>, _ body: Body<Question>) async throws -> Single<Radius> {
        let owner = try whose.id(call)
        let set = try await call.environment[FlagStore.self].set(of: owner)
        guard let flag = set.flags[key.text] else { throw Problem.notFound }
        if let rules = body.value.rules {
            let faults = FlagRulesCheck(set: set, key: flag.key).faults(in: rules)
            if !faults.isEmpty { throw Problem.unprocessable(faults) }
        }
        let changed = set.with(flag.with(isOn: body.value.isOn, rules: body.value.rules))
        let people = try await call.db.query(
            whose == .system ? Self.signedIn : Self.members(owner), as: whose.tenant(call))
        var count = Count(before: set, after: changed, key: flag.key)
        for row in people.prefix(ConfigLimits.previewedMax) {
            count.add(try Self.context(row), company: try row.get("company_id"))
        }
        for context in body.value.contexts?.items ?? [] { count.add(FlagContext(context), company: nil) }
        return Single(count.radius(isComplete: people.count <= ConfigLimits.previewedMax))
    }

    private struct Count {
        let before: FlagSet
        let after: FlagSet
        let key: String
        private var answers: (before: [String: Int], after: [String: Int]) = ([:], [:])
        private var companies: Set<UUID> = []
        private var changedCompanies: Set<UUID> = []
        private var people = 0
        private var contexts = 0
        private var changedPeople = 0
        private var changedContexts = 0

        init(before: FlagSet, after: FlagSet, key: String) {
            self.before = before
            self.after = after
            self.key = key
        }

        mutating func add(_ context: FlagContext, company: UUID?) {
            guard let old = before.decide(key, for: context), let new = after.decide(key, for: context) else {
                return
            }
            answers.before[old.variant, default: 0] += 1
            answers.after[new.variant, default: 0] += 1
            let isChanged = old.value != new.value || old.variant != new.variant
            guard let company else {
                contexts += 1
                changedContexts += isChanged ? 1 : 0
                return
            }
            people += 1
            companies.insert(company)
            changedPeople += isChanged ? 1 : 0
            if isChanged { changedCompanies.insert(company) }
        }

        func radius(isComplete: Bool) -> Radius {
            Radius(
                people: people, companies: companies.count, contexts: contexts, changedPeople: changedPeople,
                changedCompanies: changedCompanies.count, changedContexts: changedContexts,
                before: answers.before,
                after: answers.after, isComplete: isComplete)
        }
    }

    private static func members(_ company: UUID) -> SQL {
        """
        SELECT m.user_id, m.company_id, coalesce(p.plan, \(Plans.standard)) AS plan,
               array_remove(array_agg(r.key ORDER BY r.key), NULL) AS roles
          FROM memberships m
          LEFT JOIN company_plans p ON p.company_id = m.company_id
          LEFT JOIN member_roles mr ON mr.company_id = m.company_id AND mr.member_id = m.id
          LEFT JOIN roles r ON r.company_id = mr.company_id AND r.id = mr.role_id
         WHERE m.company_id = \(company) AND m.status = 'active'
         GROUP BY m.user_id, m.company_id, p.plan
         LIMIT \(ConfigLimits.previewedMax + 1)
        """
    }

    /// Sessions are no tenant's: the only place that tells of people over all companies.
    private static let signedIn: SQL = """
        SELECT DISTINCT user_id, company_id, NULL::text AS plan, NULL::text[] AS roles FROM sessions
         WHERE company_id IS NOT NULL AND last_used_at > now() - interval '30 days'
         LIMIT \(ConfigLimits.previewedMax + 1)
        """

    private static func context(_ row: Row) throws -> FlagContext {
        let user = JSON.string(try row.get("user_id", as: UUID.self).description)
        var attributes: [String: JSON] = [
            FlagContext.targetingKey: user, "user": user,
            "company": .string(try row.get("company_id", as: UUID.self).description),
        ]
        attributes["plan"] = try row.get("plan", as: String?.self).map(JSON.string)
        attributes["roles"] = try row.get("roles", as: [String]?.self).map { .array($0.map(JSON.string)) }
        return FlagContext(attributes)
    }
}
