import API
import Postgres

/// What a state of a project means, whatever the project calls it. Done is `completed`; `cancelled` is neither open nor
/// done.
enum StateCategory: String, Codable, CaseIterable, SQLBindable, SQLBindableElement, RowValue, Sendable {
    case backlog, unstarted, started, completed, cancelled

    var isOpen: Bool {
        switch self {
        case .backlog, .unstarted, .started: true
        case .completed, .cancelled: false
        }
    }
}

/// Where a project stands in its life.
enum ProjectStatus: String, Codable, CaseIterable, SQLBindable, SQLBindableElement, RowValue, Sendable {
    case draft, active
    case onHold = "on_hold"
    case completed, archived
}

/// Who may see a project that is not a member of it.
enum ProjectVisibility: String, Codable, CaseIterable, SQLBindable, SQLBindableElement, RowValue, Sendable {
    case company, `private`
}
