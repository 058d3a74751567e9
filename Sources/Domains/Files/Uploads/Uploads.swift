import API
import Core
import HTTP
import Postgres
import Wire

/// Uploads that survive broken connections and restarts: tus 1.0, with creation, expiration, checksum and termination.
enum Uploads {
    @RouteList static var routes: [Route] {
        POST("/v1/uploads", "Begin a resumable upload", .can(.filesWrite), create)
            .describe(
                """
                tus 1.0: `Tus-Resumable: 1.0.0`, `Upload-Length`, and in `Upload-Metadata` the `filename` and, if wanted, \
                `filetype`, `purpose` and `tags`. The room is set aside at once. The first bytes may come along, as \
                `application/offset+octet-stream`. The finished file has the id of the upload.
                """
            )
            .takes(Tus.bodyType)
            .announcing("tus-version", Tus.version).announcing("tus-extension", Tus.extensions)
            .announcing("tus-checksum-algorithm", "md5,sha1,sha256,sha512")
            .problems(
                .tusVersion, .fileTooLarge, .fileEmpty, .fileTypeRefused, .quotaUsedUp, .tooManyUploads,
                .uploadChecksum)
        GET("/v1/uploads", "List uploads that are open or have just ended", .can(.filesWrite), list)
        GET("/v1/uploads/{id}", "Ask how far an upload has come", .can(.filesWrite), read)
            .describe("With HEAD, as tus has it: the answer is in `Upload-Offset`.").secret
        PATCH("/v1/uploads/{id}", "Send more of an upload", .can(.filesWrite), append)
            .describe(
                """
                `Upload-Offset` must be what HEAD told. What has arrived of a request that breaks is kept, unless it came \
                with `Upload-Checksum`: then all of it counts, or nothing.
                """
            )
            .takes(Tus.bodyType)
            .problems(
                .tusVersion, .uploadOffset, .uploadChecksum, .uploadBusy, .uploadOver, .uploadElsewhere,
                .fileTypeRefused,
                .fileTooLarge)
        DELETE("/v1/uploads/{id}", "Give up an upload", .can(.filesWrite), delete)
            .describe("The room that was set aside is free again.").problems(.uploadBusy)
    }

    struct Filter: ListFilter {
        let state: [UploadRow.State]?
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<UploadStanding> {
        let (company, user) = (try call.company, try call.user)
        return try await call.page(
            list, "\(fragment: UploadStanding.select(company)) AND u.user_id = \(user)")
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<UploadStanding> {
        let company = try call.company
        var row = try await UploadRow.find(id.value, call)
        Tus.greet(call)
        // All of it is safe, and the instance that was to make a file of it did not live to do it.
        if row.state == .open, row.offset == row.length {
            try? await UploadWriting(row, call).complete()
            row = try await UploadRow.find(id.value, call)
        }
        if row.state == .failed, call.request.method == .head { throw Problem(.uploadOver, row.failure) }
        call.header("upload-offset", String(row.offset))
        call.header("upload-length", String(row.length))
        tellEnd(of: row, call)
        return try Single(await call.db.query("\(fragment: UploadStanding.select(company)) AND u.id = \(id)"))
    }

    static func create(_ call: Call, _ body: API.Upload) async throws -> Created<UploadStanding> {
        let (company, user, parts) = (try call.company, try call.user, call.files)
        Tus.greet(call)
        try Tus.check(call)
        guard let length = try Tus.number("upload-length", call) else {
            throw Tus.malformed("Upload-Length", "is required")
        }
        try parts.rules.check(bytes: length)
        let file = try description(call)
        let id = UUID.v7()
        let expiresAt = call.now + .seconds(FileLimits.uploadHours * 3600)
        try await call.db.transaction { tx in
            let open = try await tx.query(
                "SELECT count(*) AS count FROM uploads WHERE company_id = \(company) AND state = 'open'")
            guard try open[0].get("count", as: Int.self) < FileLimits.openUploadsMax else {
                throw Problem(.tooManyUploads)
            }
            try await StorageQuota.take(length, company: company, in: tx)
            _ = try await tx.batch([
                """
                INSERT INTO uploads (company_id, id, user_id, name, declared_type, purpose, tags, length_bytes, storage,
                                     object_id, storage_state, expires_at)
                VALUES (\(company), \(id), \(user), \(file.name ?? FileName(from: nil)), \(file.type),
                        \(file.purpose ?? .general), \(FileTag.distinct(file.tags)), \(length), \(parts.storage.identity),
                        \(UUID.v7()), \(JSONText(try JSON(encoding: StorageState()).description)), \(expiresAt))
                """,
                FileDeadline.sql(.upload, id, at: expiresAt, company: company),
            ])
        }
        var row = try await UploadRow.find(id, call)
        if !call.request.body.isEmpty {
            try checkBody(call)
            try await UploadWriting(row, call).append()
            row = try await UploadRow.find(id, call)
        }
        call.header("upload-offset", String(row.offset))
        tellEnd(of: row, call)
        return try Created(
            await call.db.query("\(fragment: UploadStanding.select(company)) AND u.id = \(id)"))
    }

    static func append(_ call: Call, _ id: Path<UUID>, _ body: API.Upload) async throws -> NoContent {
        let row = try await UploadRow.find(id.value, call)
        Tus.greet(call)
        try Tus.check(call)
        try checkBody(call)
        guard let offset = try Tus.number("upload-offset", call) else {
            throw Tus.malformed("Upload-Offset", "is required")
        }
        switch row.state {
        case .failed: throw Problem(.uploadOver, row.failure)
        case .finished where offset == row.length:
            // The client did not hear that it had been done.
            call.header("upload-offset", String(row.length))
            return NoContent()
        case .finished, .open: break
        }
        guard offset == row.offset else {
            throw Problem(.uploadOffset).header("upload-offset", String(row.offset))
        }
        let writing = UploadWriting(row, call)
        try await writing.append()
        let after = try await UploadRow.find(id.value, call)
        call.header("upload-offset", String(after.offset))
        tellEnd(of: after, call)
        return NoContent()
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let row = try await UploadRow.find(id.value, call)
        Tus.greet(call)
        if row.state == .open { try await UploadWriting(row, call).giveUp("It was given up.") }
        _ = try await call.db.batch([
            "DELETE FROM uploads WHERE company_id = \(row.company) AND id = \(row.id)",
            FileDeadline.cancel(.upload, [row.id]),
        ])
        return NoContent()
    }

    private static func checkBody(_ call: Call) throws(Problem) {
        guard call.request.header("content-type") == Tus.bodyType else {
            throw Problem(.unsupportedMediaType, "The bytes come as \(Tus.bodyType).").header(
                "accept", Tus.bodyType)
        }
    }

    private static func tellEnd(of row: UploadRow, _ call: Call) {
        if row.state == .open { call.header("upload-expires", HTTPDate.string(row.expiresAt)) }
    }

    /// Name, type, purpose and tags out of `Upload-Metadata`; keys of other programs are passed over.
    private static func description(_ call: Call) throws(Problem) -> (
        name: FileName?, type: String?, purpose: FilePurpose?, tags: [FileTag]
    ) {
        let metadata = try Tus.metadata(call.request.headerList("upload-metadata"))
        var description = FileDescription()
        _ = description.take(metadata.filter { $0.key == "purpose" || $0.key == "tags" })
        if !description.faults.isEmpty { throw .unprocessable(description.faults) }
        let name = metadata["filename"] ?? metadata["name"]
        return (
            name.map { FileName(from: $0) },
            FileDescription.mediaType(metadata["filetype"] ?? metadata["type"]),
            description.purpose, description.tags
        )
    }
}
