import Core
import Postgres
import Wire

/// Reminds those who decide on a review on the day it is due, and calls its owners the day after: once each, and only
/// while it is open.
enum AccessReviewReminders {
    struct Reminder: Codable, Sendable {
        let review: UUID
        let kind: Kind
    }

    enum Kind: String, Codable, Sendable, CaseIterable {
        case due, overdue

        var daysAfterDue: Int { self == .due ? 0 : 1 }
        var news: NotificationType { self == .due ? CompanyNews.reviewDue : CompanyNews.reviewOverdue }
        /// Who has let the day pass is not called alone.
        var roles: [String] { self == .due ? CompanyNews.keepers : ["owner"] }
    }

    static let job = JobKind<Reminder>("companies.access-review-reminder")

    static let handler = JobHandler(job) { reminder, job in
        guard let company = job.company else { return .cancelled("It names no company.") }
        try await job.work.database.transaction(as: Tenant(company: company)) { tx in
            try await tell(reminder, company, tx)
        }
        return .done
    }

    /// At nine in the company's own morning; what is past already is not told.
    static func plan(_ review: UUID, due: LocalDate, _ company: UUID, in tx: Transaction) async throws {
        for kind in Kind.allCases {
            let rows = try await tx.query(
                """
                SELECT (\(due)::date + \(kind.daysAfterDue)::integer + time '09:00') AT TIME ZONE time_zone AS moment
                  FROM companies WHERE id = \(company)
                """)
            guard let moment = try rows.first?.get("moment", as: Timestamp.self), moment > .now else {
                continue
            }
            _ = try await Jobs.enqueue(
                job, Reminder(review: review, kind: kind), company: company, at: moment, in: tx)
        }
    }

    @inline(never)
    private static func tell(_ reminder: Reminder, _ company: UUID, _ tx: Transaction) async throws {
        let rows = try await tx.query(
            """
            SELECT v.name, v.due_on, v.opened_by, c.name AS company,
                   (SELECT count(*) FROM access_review_items i
                     WHERE i.company_id = v.company_id AND i.review_id = v.id AND i.decision IS NULL) AS undecided
              FROM access_reviews v
              JOIN companies c ON c.id = v.company_id
             WHERE v.company_id = \(company) AND v.id = \(reminder.review) AND v.state = 'open'
            """)
        guard let row = rows.first else { return }
        let due: LocalDate = try row.get("due_on")
        let values: JSON = [
            "review": .string(try row.get("name")), "company": .string(try row.get("company")),
            "due": .string(due.description), "undecided": JSON(try row.get("undecided", as: Int.self)),
        ]
        let news = News(
            reminder.kind.news, about: .init("access_review", reminder.review), values: values,
            dedupeKey: reminder.review.description, by: .system)
        let audience = Notify.Audience.users([try row.get("opened_by")], as: "opener").and(
            roles: reminder.kind.roles)
        try await Notify.record(news, to: audience, company: company, in: tx)
    }
}
