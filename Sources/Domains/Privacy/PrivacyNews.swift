import Core
import Postgres
import Wire

/// What those who asked for a copy of data are told about it. The mail is this domain's own: who asks may be in no
/// company.
enum PrivacyNews {
    static let all = [exportReady, exportFailed]

    private static let withoutMail: Set<NotificationChannel> = [.inApp, .webhook]

    static let exportReady = NotificationType(
        "privacy.export_ready", category: "privacy", summary: "A copy of data you asked for is ready.",
        channels: [.inApp], offered: withoutMail, values: ["expires_at"],
        texts: [
            "en": .init(
                "The copy of data you asked for is ready", "It can be downloaded until {{expires_at}}."),
            "de": .init(
                "Die verlangte Kopie von Daten liegt bereit",
                "Sie kann bis {{expires_at}} heruntergeladen werden."),
        ])

    static let exportFailed = NotificationType(
        "privacy.export_failed", category: "privacy",
        summary: "A copy of data you asked for could not be made.",
        severity: .high, channels: [.inApp], offered: withoutMail,
        texts: [
            "en": .init("The copy of data could not be made", "Please ask for it again."),
            "de": .init(
                "Die Kopie von Daten konnte nicht erstellt werden", "Bitte verlangen Sie sie noch einmal."),
        ])

    /// Into the inbox of the company she asked from, as long as she is in it.
    static func tell(
        _ type: NotificationType, _ values: JSON = [:], about request: UUID, to user: UUID, in company: UUID?,
        _ tx: Transaction
    ) async throws {
        guard let company else { return }
        try await tx.become(company)
        let member = try await tx.query(
            "SELECT 1 FROM memberships WHERE company_id = \(company) AND user_id = \(user) AND status = 'active'"
        )
        if member.isEmpty { return }
        try await Notify.record(
            type, to: [user], about: .init("privacy_request", request), values: values,
            dedupeKey: request.description,
            by: .system, company: company, in: tx)
    }

    /// - Parameter expiresAt: nil when it could not be made.
    static func mail(
        to user: UUID, about request: UUID, askedAt: Timestamp, expiresAt: Timestamp?, _ tx: Transaction
    ) async throws {
        let rows = try await tx.query(
            "SELECT email, name, locale FROM users WHERE id = \(user) AND email IS NOT NULL AND status <> 'deleted'"
        )
        guard let row = rows.first else { return }
        var context = ["at": askedAt.description]
        context["expires_at"] = expiresAt?.description
        let template = expiresAt == nil ? MailTemplate.dataExportFailed : .dataExport
        try await Mail.queue(
            Mail.Message(
                template, to: try row.get("email"), name: try row.get("name"), locale: try row.get("locale"),
                context: context, onceKey: "\(template.rawValue) \(request)"), in: tx)
    }
}
