import API
import Core
import Crypto
import Postgres
import Wire

/// Whose data a request is about.
enum PrivacySubject: String, Codable, CaseIterable, SQLBindable, RowValue, Sendable {
    /// The person who asks, in all companies.
    case me
    /// Somebody the company knows by an address.
    case person
    /// Everything the company has.
    case company
}

enum PrivacyState: String, Codable, CaseIterable, SQLBindable, RowValue, Sendable {
    case queued, planned, scheduled, running, blocked, done, cancelled, failed, expired
}

/// How requests of both kinds are found and seen.
enum PrivacyRequests {
    /// The requests this caller may see: her own, and those of her company when she may decide on its data. The table is
    /// called `p`.
    static func visible(to call: Call, kind: String) throws -> SQL {
        let own: SQL = "p.company_id IS NULL AND p.requested_by = \(try call.user)"
        let all: SQL
        if let company = call.principal?.companyId, call.can(.privacyRead) {
            all = "(\(fragment: own) OR p.company_id = \(company))"
        } else {
            all = own
        }
        return "p.kind = \(kind) AND (\(fragment: all))"
    }

    /// For whom the request is made: nobody's company for oneself, else the caller's, which takes a permission.
    static func company(for subject: PrivacySubject, _ call: Call) throws -> UUID? {
        if subject == .me { return nil }
        let company = try call.company
        try call.require(.privacyWrite)
        return company
    }

    /// The address of a subject who is known by nothing else.
    static func email(for subject: PrivacySubject, _ given: Email?, _ call: Call) async throws -> String? {
        switch subject {
        case .person:
            guard let given else {
                throw Problem.unprocessable(
                    "/email", "required", "must be given to say which person is meant")
            }
            return given.normalized
        case .me:
            let rows = try await call.db.query("SELECT email_norm FROM users WHERE id = \(call.user)")
            return try rows.first?.get("email_norm", as: String?.self) ?? nil
        case .company: return nil
        }
    }

    static func context(_ id: UUID) -> String { "privacy request \(id)" }

    static func seal(_ email: String?, _ id: UUID, _ ring: KeyRing) -> [UInt8]? {
        email.map { ring.seal(Array($0.utf8), context: context(id)) }
    }

    static func open(_ sealed: [UInt8]?, _ id: UUID, _ ring: KeyRing) throws -> String? {
        guard let sealed else { return nil }
        let bytes = try ring.open(sealed, context: context(id))
        return String(decoding: bytes, as: UTF8.self)
    }
}
