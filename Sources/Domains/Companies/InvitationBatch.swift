import API
import Core
import HTTP
import Postgres
import Wire

/// Many invitations at once, as JSON or as a file of a spreadsheet. Each row stands for itself; a rehearsal does all of
/// it and takes it back, so that it says exactly what would become of each row.
enum InvitationBatch {
    @RouteList static var routes: [Route] {
        POST("/v1/invitations/bulk", "Invite many people", .can(.invitationsWrite), create).operation(
            "inviteMembers"
        )
        .describe(
            "Each row stands for itself: what is wrong with one does not hold up the others, and the answer says what "
                + "became of each. With `dry_run` nothing is kept and nobody is mailed."
        )
        .problems(.tooManyInvitations)
        POST("/v1/invitations/csv", "Invite the people of a CSV file", .can(.invitationsWrite), createFromCSV)
            .operation("inviteMembersByCSV")
            .describe(
                "Columns, named in the first line: `email`; if wanted `name`, `roles` (keys or names, with semicolons), "
                    + "`teams` (names, with semicolons), `message`. Up to 200 rows, parted by commas or semicolons. What is "
                    + "wrong with one row does not hold up the others. With `dry_run=true` nothing is kept and nobody is "
                    + "mailed."
            )
            .takes("text/csv").problems(.tooManyInvitations, .unsupportedMediaType)
    }

    struct DryRun: Codable, Sendable {
        let dryRun: Bool?
    }

    /// One row as it was read: what is wanted, or why it cannot be.
    struct Row: Sendable {
        let email: String
        let wanted: Result<NewInvitation, Problem>
    }

    static func create(_ call: Call, _ body: Body<NewInvitations>) async throws -> Single<InvitationResults> {
        let rows = body.invitations.items.map { Row(email: $0.email.text, wanted: .success($0)) }
        return try await run(rows, isRehearsal: body.dryRun ?? false, call)
    }

    static func createFromCSV(_ call: Call, _ query: Query<DryRun>, _ upload: Upload) async throws -> Single<
        InvitationResults
    > {
        guard call.request.header("content-type").flatMap({ MediaType($0) })?.essence == "text/csv" else {
            throw Problem(.unsupportedMediaType, "The people come as text/csv.").header("accept", "text/csv")
        }
        let bytes = try await call.request.body.collect(upTo: CompanyLimits.invitationFileBytesMax)
        let company = try call.company
        let known = try await call.db.batch([
            "SELECT id, key, name FROM roles WHERE company_id = \(company)",
            "SELECT id, name FROM teams WHERE company_id = \(company)",
        ])
        let file = try InvitationFile(bytes, roles: known[0], teams: known[1])
        return try await run(file.rows, isRehearsal: query.dryRun ?? false, call)
    }

    /// Takes everything back that a rehearsal has done.
    private struct Rehearsed: Error {
        let results: [InvitationResult]
    }

    private static func run(_ rows: [Row], isRehearsal: Bool, _ call: Call) async throws -> Single<
        InvitationResults
    > {
        let results: [InvitationResult]
        do {
            results = try await call.underCompanyLock { tx, company in
                let inviter = try await Inviting.Inviter.of(call, company: company, mails: rows.count, in: tx)
                let results = try await invite(rows, by: inviter, in: tx)
                if isRehearsal { throw Rehearsed(results: results) }
                return results
            }
        } catch let rehearsed as Rehearsed {
            results = rehearsed.results.map(\.rehearsed)
        }
        let refused = results.count { $0.code != nil }
        return Single(
            InvitationResults(
                isDryRun: isRehearsal, sent: results.count - refused, refused: refused, results: results))
    }

    private static func invite(_ rows: [Row], by inviter: Inviting.Inviter, in tx: Transaction) async throws
        -> [InvitationResult]
    {
        var results: [InvitationResult] = []
        var seen: Set<String> = []
        for (number, row) in rows.enumerated() {
            do {
                let wanted = try row.wanted.get()
                guard seen.insert(wanted.email.normalized).inserted else {
                    throw Problem.unprocessable("/email", "repeated", "stands in an earlier row already")
                }
                let id = try await tx.savepoint {
                    try await Inviting.invite(wanted, by: inviter, at: "/invitations/\(number)", in: tx)
                }
                results.append(.sent(number, row.email, id))
            } catch let problem as Problem {
                results.append(.refused(number, row.email, problem))
            }
        }
        return results
    }
}

extension InvitationResult {
    fileprivate static func sent(_ row: Int, _ email: String, _ id: UUID) -> InvitationResult {
        InvitationResult(row: row, email: email, invitationId: id, code: nil, detail: nil)
    }

    fileprivate static func refused(_ row: Int, _ email: String, _ problem: Problem) -> InvitationResult {
        InvitationResult(
            row: row, email: email, invitationId: nil, code: problem.faults.first?.code ?? problem.code.name,
            detail: problem.detail ?? problem.faults.first?.detail ?? problem.code.title)
    }

    /// What it would have been; there is no such invitation.
    fileprivate var rehearsed: InvitationResult {
        InvitationResult(row: row, email: email, invitationId: nil, code: code, detail: detail)
    }
}
