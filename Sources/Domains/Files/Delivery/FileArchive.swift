import API
import Core
import HTTP
import Postgres
import Wire

/// Several files in one archive, written while it is sent.
enum FileArchive {
    @RouteList static var routes: [Route] {
        POST("/v1/file-archives", "Download several files as one zip archive", .can(.filesRead), create)
            .describe("Files of one name get numbers. The archive is made on the way; nothing of it is kept.")
            .idempotent(.none).media("application/zip").problems(.fileNotReady, .fileContentLost)
    }

    struct ArchiveWish: Codable, Sendable {
        let ids: UpTo<500, UUID>
        let name: FileName?
    }

    static func create(_ call: Call, _ body: Body<ArchiveWish>) async throws -> Raw {
        let (company, parts) = (try call.company, call.files)
        let ids = Array(Set(body.ids.items))
        if ids.isEmpty { throw Problem.unprocessable("/ids", "required", "must name at least one file") }
        let rows = try await call.db.query(
            """
            \(fragment: FileDelivery.select(company)) AND f.id = ANY(\(ids)) AND f.state <> 'deleted'
             ORDER BY f.name, f.id
            """)
        guard rows.count == ids.count else {
            throw Problem.unprocessable(
                "/ids", "not-found", "names \(ids.count - rows.count) files that are not here")
        }
        let files = try rows.map { try FileDelivery($0, company: company) }
        var headers = ResponseHeaders()
        headers.add("content-type", "application/zip" as StaticString)
        headers.add(
            "content-disposition", ContentDisposition.attachment(body.value.name?.text ?? "files.zip"))
        return Raw(.stream(headers: headers) { out in try await write(files, parts, to: out) })
    }

    private static func write(_ files: [FileDelivery], _ parts: FileParts, to out: BodyWriter) async throws {
        let zip = ZipWriter()
        for file in files {
            zip.begin(file.name, modified: file.changedAt, compresses: !file.type.isCompressed)
            try await parts.storage.read(file.key) { piece in
                // Packing takes as long as a disk does; the loop has others to serve.
                let packed = try await parts.pool.run {
                    zip.write(piece)
                    return zip.take()
                }
                try await out.write(packed)
            }
            zip.end()
        }
        zip.finish()
        try await out.write(zip.take())
    }
}
