import API
import Core
import HTTP
import Postgres
import Wire

/// A file in one request, as browsers' forms and most clients send it.
enum FileUpload {
    @RouteList static var routes: [Route] {
        POST("/v1/files", "Upload a file", .can(.filesWrite), create)
            .describe(
                """
                multipart/form-data with one part `file`, and if wanted the fields `name`, `purpose` and `tags` (with \
                commas). The bytes go straight to the storage; the type is told by them. Up to 256 MiB in one request: \
                larger files, and connections that break, go by POST /v1/uploads.
                """
            )
            .takes("multipart/form-data")
            .problems(.fileTooLarge, .fileEmpty, .fileTypeRefused, .fileMissingInForm, .quotaUsedUp)
    }

    static func create(_ call: Call, _ upload: API.Upload) async throws -> Created<StoredFile> {
        let (company, parts) = (try call.company, call.files)
        guard let type = call.request.header("content-type").flatMap({ MediaType($0) }), type.isMultipartForm
        else {
            throw Problem(.unsupportedMediaType, "A file comes as multipart/form-data.").header(
                "accept", "multipart/form-data")
        }
        if let announced = call.request.body.contentLength,
            announced > parts.rules.bytesMax + FileLimits.formBytes
        {
            throw parts.rules.tooLarge
        }
        let id = UUID.v7()
        try await StorageQuota.check(room: call.request.body.contentLength ?? 0, call)
        let (file, received) = try await parts.slots.run(company) {
            try await parts.storing {
                let form = FileForm(Intake(StorageKey(company: company, id: .v7()), parts))
                do {
                    try await form.read(call, as: type)
                    let file = try form.file(id: id, uploadedBy: call.user)
                    let received = try await form.intake.finish()
                    return (file, received)
                } catch {
                    await form.intake.abandon()
                    throw error
                }
            }
        }
        // A version 7 identifier begins with the time it was made, in milliseconds.
        guard call.now.seconds - Int64(received.key.id.high >> 16) / 1000 < FileLimits.intakeSeconds else {
            throw Problem(.requestTimeout, "The upload took too long.")
        }
        try await parts.record(file, received, by: call.actor, call.db.database, as: call.db.tenant)
        return try Created(await call.db.query("\(fragment: StoredFile.select(company)) AND f.id = \(id)"))
    }
}

extension Call {
    var files: FileParts { environment[FileParts.self] }
}
