import API
import Core
import HTTP
import Postgres
import Wire

/// The bytes of a file for somebody who is signed in.
enum FileContent {
    @RouteList static var routes: [Route] {
        GET("/v1/files/{id}/content", "Download a file", .can(.filesRead), read)
            .describe(
                """
                Parts by `Range` (also with `If-Range`), `If-None-Match` by the ETag, which is the content's SHA-256. \
                `disposition=inline` shows pictures, sound, film and plain text in the page; all else is saved. For \
                browsers and for people without an account there is POST /v1/files/{id}/download-url.
                """
            )
            .media("*/*").problems(.fileNotReady, .fileContentLost)
    }

    struct Wish: Decodable, Sendable {
        let disposition: FileDelivery.Manner?
    }

    static func read(_ call: Call, _ id: Path<UUID>, _ wish: Query<Wish>) async throws -> Raw {
        let (company, parts) = (try call.company, call.files)
        let rows = try await call.db.query("\(fragment: FileDelivery.select(company)) AND f.id = \(id)")
        guard let row = rows.first else { throw Problem.notFound }
        let file = try FileDelivery(row, company: company)
        return try await parts.storing {
            let response = try await file.response(wish.value.disposition ?? .attachment, call.request, parts)
            return Raw(response)
        }
    }
}
