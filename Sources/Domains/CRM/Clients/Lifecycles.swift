import Postgres
import Wire

/// How far somebody has come with the company.
enum ContactLifecycle: String, Codable, CaseIterable, SQLBindable, RowValue, Sendable {
    case subscriber, lead, qualified, opportunity, customer, former, other

    /// On the way to being a customer; who left, or never set out, stands at its beginning.
    var step: Int {
        switch self {
        case .subscriber, .former, .other: 0
        case .lead: 1
        case .qualified: 2
        case .opportunity: 3
        case .customer: 4
        }
    }
}

enum ClientLifecycle: String, Codable, CaseIterable, SQLBindable, RowValue, Sendable {
    case prospect, active, former, partner
}
