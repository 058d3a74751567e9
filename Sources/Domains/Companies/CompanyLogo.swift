import API
import Core
import Postgres
import Wire

/// The company's logo as one of its own files, which everybody may then see.
enum CompanyLogo {
    @RouteList static var routes: [Route] {
        PUT("/v1/company/logo", "Show a file as the company's logo", .can(.companyWrite), show).ifMatch(
            .ignored
        )
        .describe(
            """
            A picture of up to 2 MiB among the company's files. `logo_url` is then an address that everybody can open as \
            long as it is the logo; the file cannot be deleted meanwhile.
            """
        )
        DELETE("/v1/company/logo", "Show no logo", .can(.companyWrite), remove).describe("The file stays.")
    }

    struct LogoChoice: Codable, Sendable {
        let fileId: UUID
    }

    static func show(_ call: Call, _ body: Body<LogoChoice>) async throws -> Single<Company> {
        let (company, files) = (try call.company, call.environment[FileKeeping.self])
        var changes = Changes()
        changes.set("logo_url", files.publicLink(body.fileId, company))
        let rows = try await call.changeCompany(
            company, changes, as: "company.logo_changed", reading: Companies.select(company)
        ) { tx in
            try await files.detach(subject(company), company, tx)
            let file = try await files.attach(body.fileId, subject(company), company, tx)
            guard file.isPicture else {
                throw Problem.unprocessable(
                    "/file_id", "no-picture", "names a file of type \(file.type); a picture is needed")
            }
            guard file.sizeBytes <= CompanyLimits.logoBytesMax else {
                throw Problem.unprocessable(
                    "/file_id", "too-large", "names a file of more than \(CompanyLimits.logoBytesMax) bytes")
            }
        }
        return try Single(rows)
    }

    static func remove(_ call: Call) async throws -> NoContent {
        let company = try call.company
        var changes = Changes()
        changes.set("logo_url", to: "NULL")
        _ = try await call.changeCompany(
            company, changes, as: "company.logo_changed", reading: Companies.select(company)
        ) { tx in try await forget(call, company, in: tx) }
        return NoContent()
    }

    /// The file that was shown, if it was one, is the logo no more.
    static func forget(_ call: Call, _ company: UUID, in tx: Transaction) async throws {
        try await call.environment.find(FileKeeping.self)?.detach(subject(company), company, tx)
    }

    private static func subject(_ company: UUID) -> (type: String, id: UUID) { ("company_logo", company) }
}
