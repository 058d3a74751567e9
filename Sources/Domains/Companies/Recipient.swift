import API
import Core
import Postgres
import Wire

/// A person as a mail addresses them.
struct Recipient: Decodable, Sendable {
    let id: UUID
    let email: String
    let name: String
    let locale: String

    static func of(_ user: UUID, in tx: Transaction) async throws -> Recipient? {
        try await tx.query("\(fragment: columns) WHERE u.id = \(user) AND u.email IS NOT NULL")
            .first?.decode(Recipient.self)
    }

    /// Those who hold one of these built-in roles here.
    static func holding(_ roles: [BuiltInRole], of company: UUID, in tx: Transaction) async throws
        -> [Recipient]
    {
        try await tx.query(
            """
            \(fragment: columns)
             WHERE u.email IS NOT NULL AND u.id IN (
                   SELECT m.user_id FROM memberships m
                     JOIN member_roles mr ON mr.company_id = m.company_id AND mr.member_id = m.id
                     JOIN roles r ON r.company_id = mr.company_id AND r.id = mr.role_id
                    WHERE m.company_id = \(company) AND m.status = 'active' AND r.key = ANY(\(roles.map(\.rawValue))))
            """
        ).map { try $0.decode(Recipient.self) }
    }

    func mail(
        _ template: MailTemplate, _ context: [String: String], company: UUID?, once key: String? = nil
    ) -> Mail.Message {
        Mail.Message(
            template, to: email, name: name, locale: locale, context: context, company: company, onceKey: key)
    }

    private static let columns: SQL =
        "SELECT u.id, u.email, u.name, coalesce(u.locale, 'en') AS locale FROM users u"
}
