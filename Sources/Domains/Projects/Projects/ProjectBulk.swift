import API
import Core
import Postgres
import Wire

/// One act on many projects; what cannot be done to one is said of it, and the others are done.
enum ProjectBulk {
    @RouteList static var routes: [Route] {
        POST("/v1/projects/bulk", "Archive, restore or delete many projects", .can(.projectsRead), act)
            .operation("changeProjects")
            .describe(
                "Up to \(ProjectLimits.bulkMax). Each takes the right to manage it; `code` says why one was refused."
            )
            .example(body: ["action": "archive", "ids": ["0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a20"]])
    }

    enum Action: String, Codable, CaseIterable, Sendable { case archive, restore, delete }

    struct BulkOrder: Codable, Sendable {
        let action: Action
        let ids: UpTo<100, UUID>
    }

    struct BulkResults: Codable, Sendable {
        let done: Int
        let refused: Int
        let results: [Result]

        struct Result: Codable, Sendable {
            let id: UUID
            let code: String?
        }
    }

    static func act(_ call: Call, _ body: Body<BulkOrder>) async throws -> Single<BulkResults> {
        let (action, ids) = (body.action, Array(Set(body.ids.items)).sorted())
        let results = try await call.db.transaction { tx in
            var results: [BulkResults.Result] = []
            for id in ids {
                results.append(.init(id: id, code: try await refusal(of: action, on: id, call, tx)))
            }
            return results
        }
        let refused = results.count { $0.code != nil }
        return Single(BulkResults(done: results.count - refused, refused: refused, results: results))
    }

    /// Nil when it was done.
    @inline(never)
    private static func refusal(
        of action: Action, on id: UUID, _ call: Call, _ tx: Transaction
    ) async throws -> String? {
        do {
            try await tx.savepoint { try await perform(action, on: id, call, tx) }
            return nil
        } catch let problem as Problem {
            return problem.code.name
        }
    }

    @inline(never)
    private static func perform(_ action: Action, on id: UUID, _ call: Call, _ tx: Transaction) async throws {
        switch action {
        case .archive: try await ProjectLifecycle.take(.archive, id, call, tx)
        case .restore: try await ProjectLifecycle.take(.restore, id, call, tx)
        case .delete: try await ProjectTrash.delete(id, call, tx)
        }
    }
}
