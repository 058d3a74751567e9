import API
import Core
import Postgres
import Wire

/// What people are told of leads.
enum LeadNews {
    static let all = [assigned, breached, held, hot, submitted]

    static let assigned = NotificationType(
        "lead.assigned", category: "crm", summary: "A lead was given to you.", values: ["title"],
        texts: [
            "en": .init("A lead for you: {{title}}", "Whoever answers first is heard."),
            "de": .init("Ein Lead für Sie: {{title}}", "Wer zuerst antwortet, wird gehört."),
        ])

    static let breached = NotificationType(
        "lead.sla_breached", category: "crm", summary: "A lead was not answered in the promised time.",
        severity: .high,
        values: ["title"],
        texts: [
            "en": .init("Unanswered: {{title}}", "The promised time for a first answer is over."),
            "de": .init("Unbeantwortet: {{title}}", "Die zugesagte Zeit für eine erste Antwort ist um."),
        ])

    static let held = NotificationType(
        "submission.held", category: "crm", summary: "What somebody sent by a form could not be made a lead.",
        severity: .high, values: ["form", "reason"],
        texts: [
            "en": .init("{{form}}: a submission waits for you", "{{reason}}"),
            "de": .init("{{form}}: eine Einsendung wartet auf Sie", "{{reason}}"),
        ])

    static let hot = NotificationType(
        "lead.hot", category: "crm", summary: "A lead of yours has become hot.", values: ["title", "score"],
        texts: [
            "en": .init("{{title}} is hot", "Its score is {{score}}."),
            "de": .init("{{title}} ist heiß", "Der Score ist {{score}}."),
        ])

    static let submitted = NotificationType(
        "form.submitted", category: "crm", summary: "Somebody sent a form.", severity: .low,
        values: ["form", "title"],
        texts: [
            "en": .init("{{form}} was sent", "{{title}}"),
            "de": .init("{{form}} wurde gesendet", "{{title}}"),
        ])

    /// Tells members, by the ids of their memberships, of a lead.
    @inline(never)
    static func tell(
        _ type: NotificationType, _ members: [UUID], of lead: UUID, _ values: JSON, dedupeKey: String? = nil,
        by actor: Audit.Actor, _ company: UUID, _ tx: Transaction
    ) async throws {
        let users = try await users(of: members, company, tx).filter { $0 != actor.person }
        if users.isEmpty { return }
        try await Notify.record(
            type, to: users, about: .init("lead", lead), values: values, link: "/leads/\(lead)",
            dedupeKey: dedupeKey,
            by: actor, company: company, in: tx)
    }

    @inline(never)
    static func users(of members: [UUID], _ company: UUID, _ tx: Transaction) async throws -> [UUID] {
        if members.isEmpty { return [] }
        let rows = try await tx.query(
            "SELECT user_id FROM memberships WHERE company_id = \(company) AND id = ANY(\(members)::uuid[])")
        return try rows.map { try $0.get("user_id", as: UUID.self) }
    }
}
