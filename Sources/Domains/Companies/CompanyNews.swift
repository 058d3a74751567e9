import API
import Core
import Postgres
import Wire

/// What the company's people are told of each other.
enum CompanyNews {
    static let all = [
        invitationAccepted, memberJoined, memberLeft, memberSuspended, memberRemoved, roleChanged,
        joinRequested, redirectAsked, reviewOpened,
        reviewDue, reviewOverdue,
    ]

    static let watchables = [
        Watchable("team", .teamsRead) { "SELECT 1 FROM teams WHERE company_id = \($1) AND id = \($0)" },
        Watchable("member", .membersRead) {
            "SELECT 1 FROM memberships WHERE company_id = \($1) AND id = \($0)"
        },
        Watchable("invitation", .invitationsRead) {
            "SELECT 1 FROM invitations WHERE company_id = \($1) AND id = \($0)"
        },
        Watchable("join_request", .invitationsRead) {
            "SELECT 1 FROM join_requests WHERE company_id = \($1) AND id = \($0)"
        },
        Watchable("access_review", .accessReviewsRead) {
            "SELECT 1 FROM access_reviews WHERE company_id = \($1) AND id = \($0)"
        },
    ]

    /// Those who answer for the company's people.
    static let keepers = ["owner", "admin"]

    // The domain mails what a person must know without signing in; those types offer no second mail.
    private static let withoutMail: Set<NotificationChannel> = [.inApp, .webhook]

    static let invitationAccepted = NotificationType(
        "invitation.accepted", category: "members", summary: "Somebody you invited has joined.",
        channels: [.inApp], offered: withoutMail, values: ["member", "company"],
        texts: [
            "en": .init("{{member}} has joined {{company}}", "{{member}} has accepted your invitation."),
            "de": .init("{{member}} ist jetzt in {{company}}", "{{member}} hat Ihre Einladung angenommen."),
        ])

    static let memberJoined = NotificationType(
        "member.joined", category: "members", summary: "Somebody has joined the company.", severity: .low,
        channels: [.inApp], values: ["member", "company"],
        texts: [
            "en": .init("{{member}} is new in {{company}}", "{{member}} has joined the company."),
            "de": .init("{{member}} ist neu in {{company}}", "{{member}} gehört jetzt zum Unternehmen."),
        ])

    static let memberLeft = NotificationType(
        "member.left", category: "members", summary: "Somebody has left the company.", channels: [.inApp],
        values: ["member", "company"],
        texts: [
            "en": .init("{{member}} has left {{company}}", "{{member}} is no longer in the company."),
            "de": .init(
                "{{member}} hat {{company}} verlassen", "{{member}} gehört nicht mehr zum Unternehmen."),
        ])

    static let memberSuspended = NotificationType(
        "member.suspended", category: "members", summary: "A member has been suspended.", channels: [.inApp],
        values: ["member", "company"],
        texts: [
            "en": .init(
                "{{member}} has been suspended", "{{member}} cannot enter {{company}} until restored."),
            "de": .init("{{member}} wurde gesperrt", "{{member}} hat vorerst keinen Zugang zu {{company}}."),
        ])

    static let memberRemoved = NotificationType(
        "member.removed", category: "members", summary: "A member has been removed.", channels: [.inApp],
        values: ["member", "company"],
        texts: [
            "en": .init("{{member}} has been removed", "{{member}} is no longer in {{company}}."),
            "de": .init("{{member}} wurde entfernt", "{{member}} gehört nicht mehr zu {{company}}."),
        ])

    static let roleChanged = NotificationType(
        "member.role_changed", category: "members", summary: "Your roles have changed.", severity: .high,
        channels: [.inApp], offered: withoutMail, values: ["company", "roles"],
        texts: [
            "en": .init("Your roles in {{company}} have changed", "You are now: {{roles}}."),
            "de": .init("Ihre Rollen in {{company}} haben sich geändert", "Sie sind jetzt: {{roles}}."),
        ])

    static let joinRequested = NotificationType(
        "join_request.received", category: "members", summary: "Somebody asks to join the company.",
        severity: .high, channels: [.inApp], offered: withoutMail, values: ["requester", "company"],
        texts: [
            "en": .init("{{requester}} asks to join {{company}}", "Approve or deny the request."),
            "de": .init(
                "{{requester}} möchte zu {{company}}", "Nehmen Sie die Anfrage an oder lehnen Sie sie ab."),
        ],
        actions: [
            NotificationAction("approve", ["en": "Approve", "de": "Annehmen"]) { call, request in
                try call.require(.invitationsWrite)
                _ = try await JoinLinks.approve(call, Path(request))
            },
            NotificationAction("deny", ["en": "Deny", "de": "Ablehnen"]) { call, request in
                try call.require(.invitationsWrite)
                _ = try await JoinLinks.deny(call, Path(request))
            },
        ])

    static let redirectAsked = NotificationType(
        "invitation.redirect_asked", category: "members",
        summary: "Somebody you invited asks for it at another address.",
        severity: .high, channels: [.inApp, .email], values: ["person", "address", "company"],
        texts: [
            "en": .init(
                "{{person}} asks to be invited at another address",
                "Whoever has the link of your invitation to {{company}} works with the address {{address}}. Agree if you know it."
            ),
            "de": .init(
                "{{person}} möchte an eine andere Adresse eingeladen werden",
                "Wer den Link Ihrer Einladung zu {{company}} hat, arbeitet mit der Adresse {{address}}. Stimmen Sie zu, wenn Sie sie kennen."
            ),
        ],
        actions: [
            NotificationAction("approve", ["en": "Invite this address", "de": "Diese Adresse einladen"]) {
                call, invitation in
                try call.require(.invitationsWrite)
                _ = try await InvitationRedirection.approve(call, Path(invitation))
            }
        ])

    static let reviewOpened = NotificationType(
        "access_review.opened", category: "members", summary: "A review of who may do what was opened.",
        channels: [.inApp], values: ["review", "company"],
        texts: [
            "en": .init("Access review: {{review}}", "Decide who keeps which rights in {{company}}."),
            "de": .init(
                "Zugriffsprüfung: {{review}}", "Entscheiden Sie, wer in {{company}} welche Rechte behält."),
        ])

    static let reviewDue = NotificationType(
        "access_review.due", category: "members", summary: "A review of who may do what is due today.",
        values: ["review", "company", "due", "undecided"],
        texts: [
            "en": .init(
                "Due today: {{review}}",
                "{{undecided}} decisions are open in the access review of {{company}}."),
            "de": .init(
                "Heute fällig: {{review}}",
                "In der Zugriffsprüfung von {{company}} sind {{undecided}} Entscheidungen offen."),
        ])

    static let reviewOverdue = NotificationType(
        "access_review.overdue", category: "members",
        summary: "A review of who may do what was not closed in time.",
        severity: .high, values: ["review", "company", "due", "undecided"],
        texts: [
            "en": .init(
                "Overdue: {{review}}",
                "The access review of {{company}} was due on {{due}}; {{undecided}} decisions are open."),
            "de": .init(
                "Überfällig: {{review}}",
                "Die Zugriffsprüfung von {{company}} war am {{due}} fällig; {{undecided}} Entscheidungen sind offen."
            ),
        ])

    static func ofLeaving(_ kind: Leaving.Kind, isOwnWish: Bool) -> NotificationType {
        switch kind {
        case .suspended: memberSuspended
        case .removed: isOwnWish ? memberLeft : memberRemoved
        }
    }

    /// Tells the keepers, all but the one it is about and the one who did it.
    static func tellKeepers(
        _ type: NotificationType, member: UUID, user: UUID, by actor: Audit.Actor, company: UUID,
        in tx: Transaction
    ) async throws {
        let rows = try await tx.query(
            """
            SELECT u.name AS member, c.name AS company,
                   ARRAY(SELECT m.user_id FROM memberships m
                           JOIN users k ON k.id = m.user_id AND k.kind = 'person'
                           JOIN member_roles mr ON mr.company_id = m.company_id AND mr.member_id = m.id
                           JOIN roles r ON r.company_id = mr.company_id AND r.id = mr.role_id
                          WHERE m.company_id = c.id AND m.status = 'active' AND r.key = ANY(\(keepers))
                            AND m.user_id <> \(user)) AS keepers
              FROM companies c, users u
             WHERE c.id = \(company) AND u.id = \(user)
            """)
        guard let row = rows.first else { return }
        let values: JSON = [
            "member": .string(try row.get("member")), "company": .string(try row.get("company")),
        ]
        try await Notify.record(
            News(type, about: .init("member", member), values: values, by: actor),
            to: .users(try row.get("keepers"), as: "role"), company: company, in: tx)
    }
}
