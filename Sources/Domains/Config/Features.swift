import API
import Core
import Wire

/// What the product's own flags answer the caller: for an interface that shows or hides things by them.
enum Features {
    @RouteList static var routes: [Route] {
        GET("/v1/features", "Ask which features are on for me", .signedIn, list)
            .example(answer: ["features": ["new-editor": true], "version": 12])
    }

    struct Answer: Codable, Sendable {
        let features: [String: JSON]
        let version: Int64
    }

    static func list(_ call: Call) async throws -> Single<Answer> {
        let store = call.environment[FlagStore.self]
        let (set, context) = (store.system, FlagContext(of: call))
        let features = set.flags.values.filter { !$0.isArchived }.reduce(into: [String: JSON]()) {
            features, flag in
            features[flag.key] = set.decide(flag.key, for: context)?.value
            store.saw(flag.key, owner: FlagStore.system)
        }
        return Single(Answer(features: features, version: set.version))
    }
}
