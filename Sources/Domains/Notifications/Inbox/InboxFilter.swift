import API
import Core
import Postgres
import Wire

/// Which notifications of an inbox are meant: by a list, a count, or an act on many.
struct InboxFilter: ListFilter, Codable {
    var read: Bool?
    var seen: Bool?
    var archived: Bool?
    var snoozed: Bool?
    var deleted: Bool?
    var category: [Text<60>]?
    var severity: [NotificationSeverity]?
    var type: [Text<80>]?
    var objectType: Text<60>?
    var objectId: UUID?
    /// Only what came after this number.
    var since: Int64?
    /// Only what came up to this number: what the person has seen on the screen.
    var until: Int64?
    var createdAt: Bounds<Timestamp>?

    static let sorts = ["-seq"]
    static let search = ["title", "body"]
    static let ownFields: Set<String> = [
        "read", "seen", "archived", "snoozed", "deleted", "category", "severity", "type", "object_type",
        "object_id",
        "since", "until", "created_at",
    ]

    /// On a row `n` of notifications.
    var condition: SQL {
        var all: [SQL] = [
            Self.set("n.archived_at", archived ?? false), Self.set("n.snoozed_until", snoozed ?? false),
            Self.set("n.deleted_at", deleted ?? false),
        ]
        if let read { all.append(Self.set("n.read_at", read)) }
        if let seen { all.append(Self.set("n.seen_at", seen)) }
        if let category { all.append("n.category = ANY(\(category.map(\.text)))") }
        if let severity { all.append("n.severity = ANY(\(severity))") }
        if let type { all.append("n.type = ANY(\(type.map(\.text)))") }
        if let objectType { all.append("n.object_type = \(objectType)") }
        if let objectId { all.append("n.object_id = \(objectId)") }
        if let since { all.append("n.seq > \(since)") }
        if let until { all.append("n.seq <= \(until)") }
        if let from = createdAt?.gte { all.append("n.created_at >= \(from)") }
        if let from = createdAt?.gt { all.append("n.created_at > \(from)") }
        if let to = createdAt?.lte { all.append("n.created_at <= \(to)") }
        if let to = createdAt?.lt { all.append("n.created_at < \(to)") }
        return all.joined(separator: " AND ")
    }

    private static func set(_ column: StaticString, _ isSet: Bool) -> SQL {
        "\(unescaped: "\(column)") IS \(unescaped: isSet ? "NOT NULL" : "NULL")"
    }

    /// The filters of `?filters=[…]`; what is wrong with them is a fault of that parameter.
    static func several(_ text: String) throws -> [InboxFilter] {
        func refusal(_ code: String, _ detail: String) -> Problem {
            .unprocessable([.parameter("filters", code, detail)])
        }
        guard let items = (try? JSON.parse(text))?.arrayValue else {
            throw refusal("malformed-json", "must be a JSON array of filters")
        }
        guard items.count <= filtersMax else { throw refusal("too-many", "may hold \(filtersMax) filters") }
        let schema = try Schema.of(InboxFilter.self, as: .input)
        return try items.enumerated().map { index, item in
            if let fault = schema.faults(in: item).first {
                throw refusal(fault.code, "filter \(index): \(fault.place) \(fault.detail)")
            }
            guard let filter = try? item.decode(InboxFilter.self) else {
                throw refusal("invalid", "filter \(index) is not acceptable")
            }
            return filter
        }
    }

    /// As many as the tabs of a large inbox.
    static let filtersMax = 20
}
