import API
import Postgres
import Wire

/// A kind of thing of a domain that may have comments, tags, custom fields and saved views, all made once for every
/// domain. The domain that owns the kind declares it in `static var subjects`.
///
///     Subject("task", "Task", .tasksRead, see: { call, id in … }, visible: { company, id in … })
public struct Subject: Sendable {
    /// As notifications, audit and events name it: `task`.
    public let kind: String
    public let name: String
    /// Without it nothing of this kind exists for somebody.
    public let permission: Permission
    /// What the caller may do with this one; nil when it does not exist for him.
    public let see: @Sendable (_ call: Call, _ id: UUID) async throws -> SubjectHead?
    /// A condition on `m`, a row of memberships: this member may see the thing. Nobody is told of, or mentioned in, what
    /// he may not see.
    public let visible: @Sendable (_ company: UUID, _ id: UUID) -> SQL
    public let tagging: Tagging?
    public let fields: CustomFieldHome?
    /// What of its list a saved view may hold; nil when there are no views of it.
    public let view: ViewShape?
    public let search: SubjectSearch?

    public init(
        _ kind: String, _ name: String, _ permission: Permission, tagging: Tagging? = nil,
        fields: CustomFieldHome? = nil, view: ViewShape? = nil, search: SubjectSearch? = nil,
        see: @escaping @Sendable (_ call: Call, _ id: UUID) async throws -> SubjectHead?,
        visible: @escaping @Sendable (_ company: UUID, _ id: UUID) -> SQL
    ) {
        self.kind = kind
        self.name = name
        self.permission = permission
        self.tagging = tagging
        self.fields = fields
        self.view = view
        self.search = search
        self.see = see
        self.visible = visible
    }
}

/// One thing, as somebody who may see it finds it.
public struct SubjectHead: Sendable {
    public let title: String
    /// Where it is read in the product: `/projects/WEB/tasks/142`.
    public let link: String
    public let canComment: Bool
    /// May resolve and remove what others have written.
    public let canModerate: Bool

    public init(title: String, link: String, canComment: Bool, canModerate: Bool) {
        self.title = title
        self.link = link
        self.canComment = canComment
        self.canModerate = canModerate
    }
}

/// How a kind is found by a text.
public struct SubjectSearch: Sendable {
    /// A statement with the columns `id uuid`, `title text`, `detail text` (may be NULL), `link text`, `rank real`
    /// (higher is better) and `updated_at timestamptz`: what the principal may see, best first, at most `limit` rows.
    public let rows: @Sendable (_ principal: Principal, _ text: String, _ limit: Int) throws -> SQL

    public init(
        _ rows: @escaping @Sendable (_ principal: Principal, _ text: String, _ limit: Int) throws -> SQL
    ) {
        self.rows = rows
    }
}

/// What a saved view of a list may be made of.
public struct ViewShape: Sendable {
    public let columns: [String]
    public let groups: [String]
    /// What is wrong with a filter and an order, at their pointers.
    public let faults: @Sendable (_ filter: JSON, _ sort: String?) -> [Fault]

    /// - Parameters:
    ///   - filter: the struct of the list's own parameters.
    ///   - columns: what the list may show.
    ///   - groups: by what it may be grouped.
    public init<Filter: ListFilter>(_ filter: Filter.Type, columns: [String], groups: [String] = []) {
        self.columns = columns
        self.groups = groups
        faults = { List<Filter>.faults(filter: $0, sort: $1) }
    }
}
