import API
import Core
import Postgres
import Wire

/// Somebody's picture, as one of the files of a company the person is in. Everybody who sees the person may see it.
enum MyAvatar {
    @RouteList static var routes: [Route] {
        PUT("/v1/auth/me/avatar", "Show a file as your picture", .member, show).ifMatch(.ignored)
            .describe(
                """
                A picture of up to 2 MiB among the files of the company you are in. `avatar_url` is then an address that \
                everybody can open as long as it is your picture; the file cannot be deleted meanwhile.
                """
            )
            .problems(.sessionRequired)
        DELETE("/v1/auth/me/avatar", "Show no picture of yourself", .signedIn, remove).describe(
            "The file stays."
        )
        .problems(.sessionRequired)
    }

    struct AvatarChoice: Codable, Sendable {
        let fileId: UUID
    }

    static func show(_ call: Call, _ body: Body<AvatarChoice>) async throws -> Single<Me> {
        let (user, company) = (try call.session.user, try call.company)
        let files = call.environment[FileKeeping.self]
        let before = try await Shown(of: user, call)
        try await before.release(call)
        try await call.db.transaction { tx in
            let file = try await files.attach(body.fileId, ("user_avatar", user), company, tx)
            guard file.isPicture else {
                throw Problem.unprocessable(
                    "/file_id", "no-picture", "names a file of type \(file.type); a picture is needed")
            }
            guard file.sizeBytes <= AuthLimits.avatarBytesMax else {
                throw Problem.unprocessable(
                    "/file_id", "too-large", "names a file of more than \(AuthLimits.avatarBytesMax) bytes")
            }
            _ = try await tx.query(sql(files.publicLink(body.fileId, company), user))
        }
        return try await Me.show(call)
    }

    static func remove(_ call: Call) async throws -> NoContent {
        let user = try call.session.user
        let before = try await Shown(of: user, call)
        _ = try await call.auth.db.query(sql(nil, user))
        try await before.release(call)
        return NoContent()
    }

    private static func sql(_ url: String?, _ user: UUID) -> SQL {
        "UPDATE users SET avatar_url = \(url), version = version + 1, updated_at = now() WHERE id = \(user)"
    }

    /// The picture somebody shows now, which may be a file of another company than the present one.
    struct Shown: Sendable {
        private let user: UUID
        private let company: UUID?

        init(of user: UUID, _ call: Call) async throws {
            let rows = try await call.auth.db.query("SELECT avatar_url FROM users WHERE id = \(user)")
            let url = try rows.first?.get("avatar_url", as: String?.self) ?? nil
            self.user = user
            company = url.flatMap { call.environment.find(FileKeeping.self)?.companyOfLink($0) }
        }

        /// It is shown no more: the file is free.
        func release(_ call: Call) async throws {
            guard let company else { return }
            let files = call.environment[FileKeeping.self]
            try await call.auth.db.transaction(as: Tenant(company: company, user: user)) { tx in
                try await files.detach(("user_avatar", user), company, tx)
            }
        }
    }
}
