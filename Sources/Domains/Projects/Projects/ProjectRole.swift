import API
import Postgres

/// What somebody is in a project. It says what he may do there, more or less than his roles in the company would.
enum ProjectRole: String, Codable, CaseIterable, SQLBindable, SQLBindableElement, RowValue, Sendable {
    case manager, contributor, commenter, viewer

    var right: ProjectRight {
        switch self {
        case .manager: .manage
        case .contributor: .contribute
        case .commenter: .comment
        case .viewer: .see
        }
    }
}

/// What may be done in a project; each right holds those before it.
enum ProjectRight: Int, Comparable, CaseIterable, Sendable {
    case see, comment, contribute, manage

    static func < (left: ProjectRight, right: ProjectRight) -> Bool { left.rawValue < right.rawValue }

    /// As answers say it.
    var name: String {
        switch self {
        case .see: "see"
        case .comment: "comment"
        case .contribute: "contribute"
        case .manage: "manage"
        }
    }
}
