import API
import Core
import Postgres
import Wire

/// What a company's files take up, by kind.
enum FileUsage {
    @RouteList static var routes: [Route] {
        GET("/v1/file-usage", "See what the files take up", .can(.filesRead), read)
            .describe(
                """
                `stored_bytes` is what counts against the limit: each content once, with what lies in the trash. The kinds \
                add up the files as they are listed, so their sum may be larger.
                """
            )
    }

    struct Usage: Codable, Sendable {
        struct OfKind: Codable, Sendable {
            let kind: ContentKind
            let files: Int
            let bytes: Int64
        }

        let storedBytes: Int64
        let reservedBytes: Int64
        let limitBytes: Int64?
        let files: Int
        let trashFiles: Int
        let trashBytes: Int64
        let kinds: [OfKind]
    }

    static func read(_ call: Call) async throws -> Single<Usage> {
        let company = try call.company
        return try await call.db.transaction { tx in
            let standing = try await Quotas.standing(StorageQuota.quota, company: company, in: tx)
            let answers = try await tx.batch([
                "SELECT coalesce(sum(size_bytes), 0)::bigint AS bytes FROM file_blobs WHERE company_id = \(company)",
                """
                SELECT kind, count(*) AS files, sum(size_bytes)::bigint AS bytes, state = 'deleted' AS is_trash
                  FROM files WHERE company_id = \(company) AND state <> 'rejected' GROUP BY kind, state = 'deleted'
                """,
            ])
            let stored = try answers[0][0].get("bytes", as: Int64.self)
            var usage: [ContentKind: (files: Int, bytes: Int64)] = [:]
            var trash: (files: Int, bytes: Int64) = (0, 0)
            for row in answers[1] {
                let (files, bytes) = (
                    try row.get("files", as: Int.self), try row.get("bytes", as: Int64.self)
                )
                if try row.get("is_trash", as: Bool.self) {
                    trash = (trash.files + files, trash.bytes + bytes)
                } else {
                    usage[try row.get("kind")] = (files, bytes)
                }
            }
            let kinds = ContentKind.allCases.compactMap { kind in
                usage[kind].map { Usage.OfKind(kind: kind, files: $0.files, bytes: $0.bytes) }
            }
            return Single(
                Usage(
                    storedBytes: stored, reservedBytes: max(0, standing.used - stored),
                    limitBytes: standing.ceiling,
                    files: kinds.reduce(0) { $0 + $1.files }, trashFiles: trash.files,
                    trashBytes: trash.bytes,
                    kinds: kinds))
        }
    }
}
