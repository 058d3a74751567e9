import API
import Core
import Postgres
import Wire

/// The end of a review: what is not to be kept is taken away, and everybody whose roles change is told.
enum AccessReviewClosing {
    static func close(_ call: Call, _ id: Path<UUID>, _ body: Body<ReviewClosing>) async throws -> Single<
        AccessReview
    > {
        let undecided = body.undecided
        try await call.underCompanyLock { tx, locked in
            let closing = Closing(
                review: id.value, company: try call.company, companyName: locked.name, user: try call.user,
                actor: call.actor, tx: tx)
            try await closing.lock()
            try await closing.settle(undecided)
            let ceiling = try await Granting.ceiling(of: call, in: tx)
            let losers = try await closing.losers(within: ceiling)
            try await closing.apply()
            for loser in losers { try await closing.tell(loser) }
        }
        return try await AccessReviews.read(call, id)
    }

    private struct Closing {
        let review: UUID
        let company: UUID
        let companyName: String
        let user: UUID
        let actor: Audit.Actor
        let tx: Transaction

        /// Somebody who is about to lose roles in the company.
        struct Loser {
            let member: UUID
            let user: UUID
            let isPerson: Bool
            var kept: [(key: String, name: String)] = []
            var lost: [String] = []
            var held = PermissionSet()
        }

        @inline(never)
        func lock() async throws {
            let rows = try await tx.query(
                "SELECT state FROM access_reviews WHERE company_id = \(company) AND id = \(review) FOR UPDATE"
            )
            guard let row = rows.first else { throw Problem.notFound }
            guard try row.get("state", as: ReviewState.self) == .open else { throw Problem(.reviewClosed) }
        }

        /// What nobody has decided on is decided now. One's own stays as it is: nobody reviews himself.
        @inline(never)
        func settle(_ undecided: ReviewDecision?) async throws {
            let own: SQL = """
                member_id IN (SELECT m.id FROM memberships m WHERE m.company_id = \(company) AND m.user_id = \(user))
                """
            _ = try await tx.query(
                """
                UPDATE access_review_items SET decision = 'keep', decided_by = \(user), decided_at = now()
                 WHERE company_id = \(company) AND review_id = \(review) AND decision IS NULL AND \(fragment: own)
                """)
            if let undecided {
                _ = try await tx.query(
                    """
                    UPDATE access_review_items SET decision = \(undecided), decided_by = \(user), decided_at = now()
                     WHERE company_id = \(company) AND review_id = \(review) AND decision IS NULL
                    """)
                return
            }
            let rows = try await tx.query(
                """
                SELECT count(*) AS count FROM access_review_items
                 WHERE company_id = \(company) AND review_id = \(review) AND decision IS NULL
                """)
            let count: Int = try rows[0].get("count")
            if count > 0 { throw Problem(.reviewUndecided, "Nobody has decided on \(count) items.") }
        }

        /// Whose roles change, after it is sure that none of them holds what the closer does not.
        @inline(never)
        func losers(within ceiling: PermissionSet) async throws -> [Loser] {
            let rows = try await tx.query(
                """
                SELECT m.id AS member_id, m.user_id, u.name AS member_name, u.kind = 'person' AS is_person, r.key, r.name,
                       r.is_builtin, r.permissions,
                       EXISTS (SELECT 1 FROM access_review_items i
                                WHERE i.company_id = mr.company_id AND i.review_id = \(review) AND i.kind = 'role'
                                  AND i.decision = 'remove' AND i.member_id = mr.member_id AND i.role_id = mr.role_id)
                           AS is_lost
                  FROM memberships m
                  JOIN users u ON u.id = m.user_id
                  JOIN member_roles mr ON mr.company_id = m.company_id AND mr.member_id = m.id
                  JOIN roles r ON r.company_id = mr.company_id AND r.id = mr.role_id
                 WHERE m.company_id = \(company)
                   AND m.id IN (SELECT member_id FROM access_review_items
                                 WHERE company_id = \(company) AND review_id = \(review) AND decision = 'remove')
                 ORDER BY r.name
                """)
            var losers: [UUID: Loser] = [:]
            for row in rows {
                let member: UUID = try row.get("member_id")
                var loser = Loser(
                    member: member, user: try row.get("user_id"), isPerson: try row.get("is_person"))
                if let known = losers[member] { loser = known }
                let key: String = try row.get("key")
                loser.held = loser.held.union(
                    PermissionSet.ofRole(
                        key: key, isBuiltIn: try row.get("is_builtin"), custom: try row.get("permissions")))
                guard loser.held.isSubset(of: ceiling) else {
                    let name: String = try row.get("member_name")
                    throw Problem(.memberOutranksYou, "\(name) holds rights that you do not hold yourself.")
                }
                if try row.get("is_lost", as: Bool.self) {
                    loser.lost.append(key)
                } else {
                    loser.kept.append((key, try row.get("name")))
                }
                losers[member] = loser
            }
            return losers.values.filter { !$0.lost.isEmpty }.sorted { $0.member < $1.member }
        }

        func apply() async throws {
            let removed: SQL = """
                i.company_id = \(company) AND i.review_id = \(review) AND i.decision = 'remove'
                """
            _ = try await tx.batch([
                """
                UPDATE access_review_items i
                   SET outcome = CASE WHEN i.decision = 'keep' THEN 'kept'
                       WHEN i.kind = 'role' AND EXISTS (SELECT 1 FROM member_roles mr
                            WHERE mr.company_id = i.company_id AND mr.member_id = i.member_id AND mr.role_id = i.role_id)
                         OR i.kind = 'grant' AND EXISTS (SELECT 1 FROM object_grants g
                            WHERE g.company_id = i.company_id AND g.id = i.grant_id) THEN 'removed'
                       ELSE 'gone' END
                 WHERE i.company_id = \(company) AND i.review_id = \(review)
                """,
                """
                DELETE FROM member_roles mr USING access_review_items i
                 WHERE \(fragment: removed) AND i.kind = 'role' AND mr.company_id = i.company_id
                   AND mr.member_id = i.member_id AND mr.role_id = i.role_id
                """,
                """
                DELETE FROM object_grants g USING access_review_items i
                 WHERE \(fragment: removed) AND i.kind = 'grant' AND g.company_id = i.company_id AND g.id = i.grant_id
                """,
                """
                UPDATE access_reviews SET state = 'closed', closed_by = \(user), closed_at = now(), version = version + 1,
                                          updated_at = now()
                 WHERE company_id = \(company) AND id = \(review)
                """,
                Headcount.recount(company),
                Audit.sql(
                    Audit.Entry("access_review.closed", on: "access_review", review), by: actor,
                    company: company),
                try Events.sql(
                    CompanyEvents.accessReviewClosed, .init(accessReviewId: review, name: companyName),
                    on: "access_review", review, by: actor, company: company),
            ])
        }

        func tell(_ loser: Loser) async throws {
            let keys = loser.kept.map(\.key)
            _ = try await tx.batch([
                """
                UPDATE memberships SET version = version + 1, updated_at = now()
                 WHERE company_id = \(company) AND id = \(loser.member)
                """,
                Audit.sql(
                    Audit.Entry(
                        "member.roles_changed", on: "member", loser.member,
                        before: ["roles": .array((keys + loser.lost).sorted().map(JSON.string))],
                        after: ["roles": .array(keys.map(JSON.string))]),
                    by: actor, company: company),
                try Events.sql(
                    CompanyEvents.memberRolesChanged,
                    .init(memberId: loser.member, userId: loser.user, roles: keys),
                    on: "member", loser.member, by: actor, company: company),
            ])
            try await AccessChange.record(user: loser.user, company: company, in: tx)
            guard loser.isPerson else { return }
            let names = loser.kept.isEmpty ? "–" : loser.kept.map(\.name).joined(separator: ", ")
            try await Notify.record(
                CompanyNews.roleChanged, to: [loser.user], about: .init("member", loser.member),
                values: ["company": .string(companyName), "roles": .string(names)], by: actor,
                company: company, in: tx)
        }
    }
}
