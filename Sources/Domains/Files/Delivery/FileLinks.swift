import API
import Core
import HTTP
import Postgres
import Wire

/// Links that open one file for a while, without an account.
enum FileLinks {
    @RouteList static var routes: [Route] {
        POST("/v1/files/{id}/download-url", "Make a link to a file", .can(.filesRead), create)
            .describe(
                """
                Whoever has the link can download the file until it expires. It cannot be taken back; deleting the file \
                ends it.
                """
            )
            .secret.problems(.fileNotReady)
        GET("/v1/public/files/{token}", "Download a file by a link", .open, open)
            .describe("No token but the link's own. Parts by `Range`, as with any download.")
            .media("*/*").problems(.linkInvalid, .fileNotReady, .fileContentLost)
    }

    struct LinkWish: Codable, Sendable, FieldNotes {
        let expiresInSeconds: Whole<10, 604_800>?
        let disposition: FileDelivery.Manner?

        static let fieldNotes = [
            "expires_in_seconds": "Up to seven days; left out: one hour.",
            "disposition":
                "`inline` shows pictures, sound, film and plain text in the page; left out: `attachment`.",
        ]
    }

    struct FileLink: Codable, Sendable {
        let url: String
        let expiresAt: Timestamp
    }

    static func create(_ call: Call, _ id: Path<UUID>, _ body: Body<LinkWish>) async throws -> Single<
        FileLink
    > {
        let company = try call.company
        let rows = try await call.db.query("\(fragment: FileDelivery.select(company)) AND f.id = \(id)")
        guard let row = rows.first else { throw Problem.notFound }
        _ = try FileDelivery(row, company: company)
        let life = body.value.expiresInSeconds?.value ?? FileLimits.linkSeconds
        let expiresAt = Timestamp(seconds: call.now.seconds) + .seconds(life)
        let link = FileLinkSeal.Link(
            company: company, file: id.value, manner: body.value.disposition ?? .attachment,
            expiresAt: expiresAt)
        return Single(FileLink(url: call.files.links.url(link), expiresAt: expiresAt))
    }

    static func open(_ call: Call, _ token: Path<String>) async throws -> Raw {
        let parts = call.files
        guard let link = parts.links.open(token.value) else { throw Problem(.linkInvalid) }
        if let end = link.expiresAt, end <= call.now { throw Problem(.linkInvalid, "It expired at \(end).") }
        // A link without an end holds for what is shown in public, and no longer than it is.
        let shown: SQL = """
             AND EXISTS (SELECT 1 FROM file_refs r
                          WHERE r.company_id = f.company_id AND r.file_id = f.id
                            AND r.subject_type = ANY(\(publicSubjects)))
            """
        let rows = try await call.db.query(
            """
            \(fragment: FileDelivery.select(link.company)) AND f.id = \(link.file)\
            \(fragment: link.expiresAt == nil ? shown : "")
            """, as: Tenant(company: link.company, user: nil))
        guard let row = rows.first else { throw Problem(.linkInvalid) }
        let file = try FileDelivery(row, company: link.company)
        if parts.rules.redirectsLinks, let direct = file.redirect(link.manner, parts) { return Raw(direct) }
        var response = try await parts.storing { try await file.response(link.manner, call.request, parts) }
        let seconds = link.expiresAt.map { min($0.seconds - call.now.seconds, 86_400) } ?? 300
        response.headers.add(
            "cache-control", "\(link.expiresAt == nil ? "public" : "private"), max-age=\(seconds)")
        // A picture may stand in a page of another origin: that is what the link was made for.
        response.headers.add("cross-origin-resource-policy", "cross-origin" as StaticString)
        return Raw(response)
    }

    /// What makes a file public while it is used so.
    static let publicSubjects = ["company_logo", "user_avatar"]
}
