import API
import Core
import Postgres
import Wire

/// Asking to be let in, by a link or because of one's address. The caller holds the lock on the company's row.
enum JoinAsking {
    enum Ground {
        case link(UUID, maker: UUID)
        case domain(UUID)

        var link: UUID? { if case .link(let id, _) = self { id } else { nil } }
        var domain: UUID? { if case .domain(let id) = self { id } else { nil } }
        var maker: UUID? { if case .link(_, let maker) = self { maker } else { nil } }
    }

    /// Asking twice is one request.
    static func ask(
        by ground: Ground, _ person: Acceptance.Person, _ locked: Headcount.Locked, by actor: Audit.Actor,
        _ company: UUID, _ links: Links, in tx: Transaction
    ) async throws -> JoinResult {
        let open = try await tx.query(
            """
            SELECT id FROM join_requests
             WHERE company_id = \(company) AND user_id = \(person.id) AND state = 'pending'
            """)
        if let id = try open.first?.get("id", as: UUID.self) {
            return JoinResult(outcome: .asked, companyId: company, memberId: nil, requestId: id)
        }
        let id = UUID.v7()
        var statements: [SQL] = [
            """
            INSERT INTO join_requests (company_id, id, link_id, domain_id, user_id)
            VALUES (\(company), \(id), \(ground.link), \(ground.domain), \(person.id))
            """,
            Audit.sql(Audit.Entry("join_request.made", on: "join_request", id), by: actor, company: company),
        ]
        if let link = ground.link {
            statements.append(
                "UPDATE join_links SET uses = uses + 1 WHERE company_id = \(company) AND id = \(link)")
        }
        let asker = try await Recipient.of(person.id, in: tx)
        if let asker, let link = ground.maker, let maker = try await Recipient.of(link, in: tx) {
            let context = ["requester": asker.name, "company": locked.name, "link": links.joinRequests]
            statements.append(
                try Mail.sql(maker.mail(.joinRequest, context, company: company, once: "join-request:\(id)")))
        }
        _ = try await tx.batch(statements)
        if let asker {
            try await Notify.record(
                News(
                    CompanyNews.joinRequested, about: .init("join_request", id),
                    values: ["requester": .string(asker.name), "company": .string(locked.name)],
                    link: links.joinRequests, by: actor),
                to: .users(ground.maker.map { [$0] } ?? [], as: "owner").and(roles: CompanyNews.keepers),
                company: company, in: tx)
        }
        return JoinResult(outcome: .asked, companyId: company, memberId: nil, requestId: id)
    }
}
