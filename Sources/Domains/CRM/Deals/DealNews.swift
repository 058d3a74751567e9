import API
import Core
import Postgres
import Wire

/// What people are told of deals. No sum is told: whoever is told may not see amounts.
enum DealNews {
    static let all = [assigned, assignedMany, won, stuck, overdue]

    static let assigned = NotificationType(
        "deal.assigned", category: "deals", summary: "A deal was given to you.", values: ["name"],
        texts: [
            "en": .init("{{name}} is yours now", "The deal {{name}} was given to you."),
            "de": .init("{{name}} gehört jetzt Ihnen", "Der Deal {{name}} wurde Ihnen übergeben."),
        ])

    static let assignedMany = NotificationType(
        "deal.assigned_many", category: "deals", summary: "Several deals were given to you at once.",
        values: ["count", "names"],
        texts: [
            "en": .init("{{count}} deals are yours now", "{{names}}"),
            "de": .init("{{count}} Deals gehören jetzt Ihnen", "{{names}}"),
        ])

    static let won = NotificationType(
        "deal.won", category: "deals", summary: "A deal of yours or of your team was won.", severity: .low,
        channels: [.inApp], values: ["name", "owner"],
        texts: [
            "en": .init(
                "{{name}} is won",
                "{{#owner}}{{owner}} has won {{name}}.{{/owner}}{{^owner}}{{name}} is won.{{/owner}}"),
            "de": .init(
                "{{name}} ist gewonnen",
                "{{#owner}}{{owner}} hat {{name}} gewonnen.{{/owner}}{{^owner}}{{name}} ist gewonnen.{{/owner}}"
            ),
        ])

    static let stuck = NotificationType(
        "deal.stuck", category: "deals", summary: "A deal of yours has been in its stage for too long.",
        values: ["name", "stage", "days"],
        texts: [
            "en": .init("{{name}} is stuck", "{{name}} has been in {{stage}} for {{days}} days."),
            "de": .init("{{name}} kommt nicht voran", "{{name}} steht seit {{days}} Tagen auf {{stage}}."),
        ])

    static let overdue = NotificationType(
        "deal.close_date_passed", category: "deals",
        summary: "A deal of yours is open after the day it was to be closed.",
        values: ["name", "day"],
        texts: [
            "en": .init(
                "{{name}} was to be closed", "{{name}} was to be closed by {{day}} and is still open."),
            "de": .init(
                "{{name}} sollte abgeschlossen sein",
                "{{name}} sollte bis {{day}} abgeschlossen sein und ist noch offen."),
        ])

    static let watchables = [
        Watchable("deal", .crmRead) { id, company in
            """
            SELECT 1 FROM deals d
              JOIN memberships m ON m.company_id = d.company_id
               AND m.user_id = nullif(current_setting('app.user_id', true), '')::uuid
             WHERE d.company_id = \(company) AND d.id = \(id) AND \(fragment: CRMAccess.isShown(toMember: "d"))
            """
        }
    ]

    /// Tells those who got deals: of one by its name, of several at once by their number.
    @inline(never)
    static func tellOwners(
        _ deals: [(id: UUID, name: String, owner: UUID)], by actor: Audit.Actor, _ company: UUID,
        _ tx: Transaction
    ) async throws {
        if deals.isEmpty { return }
        let rows = try await tx.query(
            """
            SELECT id, user_id FROM memberships
             WHERE company_id = \(company) AND id = ANY(\(deals.map(\.owner).unique)::uuid[]) ORDER BY id
            """)
        for row in rows {
            let (member, user) = (try row.get("id", as: UUID.self), try row.get("user_id", as: UUID.self))
            if user == actor.person { continue }
            let own = deals.filter { $0.owner == member }
            if own.count == 1 {
                try await Notify.record(
                    assigned, to: [user], about: .init("deal", own[0].id),
                    values: ["name": .string(own[0].name)], by: actor,
                    company: company, in: tx)
            } else {
                let names = own.prefix(10).map(\.name).joined(separator: ", ") + (own.count > 10 ? ", …" : "")
                try await Notify.record(
                    assignedMany, to: [user], values: ["count": JSON(own.count), "names": .string(names)],
                    by: actor,
                    company: company, in: tx)
            }
        }
    }

    /// Tells the owner, and those who are in a team with him and see the deal.
    @inline(never)
    static func tellWon(_ deals: [DealSnapshot], by actor: Audit.Actor, _ company: UUID, _ tx: Transaction)
        async throws
    {
        for deal in deals.prefix(20) {
            let rows = try await tx.query(
                """
                SELECT m.user_id, m.id = d.owner_id AS is_owner,
                       (SELECT u.name FROM memberships o JOIN users u ON u.id = o.user_id
                         WHERE o.company_id = d.company_id AND o.id = d.owner_id) AS owner
                  FROM deals d JOIN memberships m ON m.company_id = d.company_id AND m.status = 'active'
                 WHERE d.company_id = \(company) AND d.id = \(deal.id)
                   AND (m.id = d.owner_id OR m.id IN (
                        SELECT mate.member_id FROM team_members own
                          JOIN team_members mate ON mate.company_id = own.company_id AND mate.team_id = own.team_id
                         WHERE own.company_id = d.company_id AND own.member_id = d.owner_id))
                   AND \(fragment: CRMAccess.isShown(toMember: "d"))
                """)
            guard let first = rows.first else { continue }
            var (owners, mates): ([UUID], [UUID]) = ([], [])
            for row in rows {
                let user: UUID = try row.get("user_id")
                if try row.get("is_owner", as: Bool.self) { owners.append(user) } else { mates.append(user) }
            }
            let news = News(
                won, about: .init("deal", deal.id),
                values: ["name": .string(deal.name), "owner": .optional(try first.get("owner"))], by: actor)
            try await Notify.record(
                news, to: .users(owners, as: "owner").and(mates, as: "team"), company: company, in: tx)
        }
    }
}
