import Postgres

/// What kind of contact it was. A note is something somebody wrote down, `system` what the program did.
enum ActivityKind: String, Codable, CaseIterable, SQLBindable, SQLBindableElement, RowValue, Sendable {
    case call, meeting, email, note, system
}

/// Who began it, seen from the company.
enum ActivityDirection: String, Codable, CaseIterable, SQLBindable, Sendable {
    case `in`, out
}
