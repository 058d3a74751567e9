import API
import Core
import Wire

/// The kinds of news there are, for those who choose among them.
enum NotificationTypes {
    @RouteList static var routes: [Route] {
        GET("/v1/notification-types", "List the kinds of notifications", .member, list)
            .describe(
                "What can happen, how it is told when nobody says otherwise, and which values its texts name."
            )
    }

    struct Kind: Codable, Sendable, FieldNotes {
        let name: String
        let category: String
        let summary: String
        let severity: NotificationSeverity
        let isCritical: Bool
        let channels: [NotificationChannel]
        let offered: [NotificationChannel]
        let values: [String]
        let actions: [String]

        static let fieldNotes = [
            "is_critical": "Preferences, quiet hours and digests do not apply.",
            "channels": "Where it goes when nobody has said otherwise.",
            "offered": "Where it may go at all.",
        ]
    }

    struct Catalogue: Codable, Sendable {
        let categories: [String]
        let types: [Kind]
    }

    static func list(_ call: Call) async throws -> Single<Catalogue> {
        let order = NotificationChannel.allCases
        let types = NotificationCatalogue.all.map { type in
            Kind(
                name: type.name, category: type.category, summary: type.summary, severity: type.severity,
                isCritical: type.isCritical, channels: order.filter(type.channels.contains),
                offered: order.filter(type.offered.contains), values: type.values,
                actions: type.actions.map(\.key))
        }
        return Single(Catalogue(categories: NotificationCatalogue.categories, types: types))
    }
}
