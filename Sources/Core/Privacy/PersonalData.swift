import Postgres
import Wire

/// What one table holds about people: how their rows are found, what of them may leave the house, and what becomes of
/// them when somebody asks to be forgotten. Every table of the database stands in exactly one declaration.
///
///     PersonalData("sessions", "Devices and addresses of sign-ins", of: .user("user_id"), erase: .delete)
///     .none("worker_leases", "which instance does what")
public struct PersonalData: Sendable {
    /// Of whom data is asked for. Within `company` alone when the company asks.
    public struct Subject: Sendable {
        public var user: UUID?
        /// As it is compared: lower case.
        public var email: String?
        public var company: UUID?

        public init(user: UUID?, email: String?, company: UUID? = nil) {
            self.user = user
            self.email = email
            self.company = company
        }
    }

    /// How the rows of somebody are told from others'. The table is called `t` in conditions.
    public enum Mark: Sendable {
        /// The column holds the id of the user.
        case user(String)
        /// The column holds the e-mail address, in whatever case it was typed.
        case email(String)
        /// Any other condition; nil when it does not concern this one.
        case rows(@Sendable (Subject) -> SQL?)
    }

    public enum Erasure: Sendable {
        case delete
        /// The row stays without what names the person: the list of a SET, as `name = 'Deleted', email = NULL`.
        case blank(SQL)
        /// The row stays as it is, for this reason, which is told to the person.
        case keep(String)
    }

    public let table: String
    /// What it tells about somebody, in the words of the report; for a table without personal data, what it holds.
    public let what: String
    public let marks: [Mark]
    /// Columns that no copy contains: digests and sealed secrets. Columns of bytes are left out without being named.
    public let secrets: [String]
    public let erasure: Erasure

    public init(
        _ table: String, _ what: String, of marks: Mark..., hiding secrets: [String] = [],
        erase erasure: Erasure
    ) {
        precondition(!marks.isEmpty, "\(table) is personal, so its rows must be found")
        self.init(table, what, marks, secrets, erasure)
    }

    /// A table in which nobody is named.
    public static func none(_ table: String, _ what: String, hiding secrets: [String] = []) -> PersonalData {
        PersonalData(table, what, [], secrets, .keep("Nobody is named in it."))
    }

    private init(_ table: String, _ what: String, _ marks: [Mark], _ secrets: [String], _ erasure: Erasure) {
        self.table = table
        self.what = what
        self.marks = marks
        self.secrets = secrets
        self.erasure = erasure
    }

    public var isPersonal: Bool { !marks.isEmpty }

    /// The condition on `t` that finds the rows of this one; nil when the table cannot hold any.
    public func rows(of subject: Subject) -> SQL? {
        let conditions = marks.compactMap { mark -> SQL? in
            switch mark {
            case .user(let column): subject.user.map { "t.\(unescaped: column) = \($0)" }
            case .email(let column): subject.email.map { "lower(t.\(unescaped: column)) = \($0)" }
            case .rows(let condition): condition(subject)
            }
        }
        return conditions.isEmpty ? nil : "(\(fragment: conditions.joined(separator: " OR ")))"
    }
}
