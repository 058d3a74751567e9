import API
import Core
import Postgres
import Wire

/// What people say about things. Whoever sees a thing reads what is said about it; the internal part, who may read such.
enum CommentRoutes {
    @RouteList static var routes: [Route] {
        GET("/v1/comments", "List comments on a thing", .member, list).problems(.notFound)
            .describe(
                "Newest first, `sort=created_at` for oldest first. Without `parent_id` those that begin a thread, each with "
                    + "the number of its replies; with it the replies of that one.")
        POST("/v1/comments", "Comment on a thing", .member, create).problems(.commentDeleted)
            .describe("Its author watches the thing from then on. Who is mentioned is told so.")
            .example(body: example)
        GET("/v1/comments/{id}", "Read a comment", .member, read)
        PATCH("/v1/comments/{id}", "Change a comment", .member, change).problems(
            .notYourComment, .commentDeleted
        )
        .describe("The text is its author's to change; what it said before is kept.")
        DELETE("/v1/comments/{id}", "Delete a comment", .member, delete).problems(.notYourComment)
            .describe(
                "For its author and those who manage the thing. With replies it stays as an empty place.")
        GET("/v1/comments/{id}/edits", "List what a comment said before", .member, edits)
        POST("/v1/comments/{id}/resolve", "Call a thread settled", .member, resolve).problems(
            .notAThread, .commentDeleted)
        POST("/v1/comments/{id}/reopen", "Open a settled thread again", .member, reopen)
            .problems(.notAThread, .commentDeleted)
        PUT("/v1/comments/{id}/reactions/{code}", "React to a comment", .member, react).ifMatch(.ignored)
            .problems(.tooManyReactions, .commentDeleted)
        DELETE("/v1/comments/{id}/reactions/{code}", "Take a reaction back", .member, unreact)
    }

    private static let example: JSON = [
        "subject_kind": "task", "subject_id": "0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a41", "parent_id": nil,
        "body": "Could you look at the **second** draft, <@0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a42>?",
        "is_internal": true,
    ]

    struct Filter: ListFilter {
        let subjectKind: Text<60>
        let subjectId: UUID
        let parentId: UUID?
        let isInternal: Bool?
        let isResolved: Bool?
        let authorId: UUID?

        static let sorts = ["-created_at"]
        static let search = ["body"]
        static let ownFields: Set<String> = [
            "subject_kind", "subject_id", "parent_id", "is_resolved", "author_id",
        ]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Comment> {
        _ = try await WorkspaceKinds.seen(list.filter.subjectKind.text, list.filter.subjectId, call)
        var sql: SQL = """
            \(fragment: try CommentReading.select(call)) AND c.subject_kind = \(list.filter.subjectKind.text)
               AND c.subject_id = \(list.filter.subjectId)
            """
        if let parent = list.filter.parentId {
            sql += " AND c.parent_id = \(parent)"
        } else {
            sql += " AND c.parent_id IS NULL"
        }
        if let isResolved = list.filter.isResolved {
            sql += " AND (c.resolved_at IS NOT NULL) = \(isResolved)"
        }
        if let author = list.filter.authorId {
            sql += " AND c.author_id = \(author) AND c.deleted_at IS NULL"
        }
        return try await call.page(list, sql)
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Comment> {
        let stored = try await CommentReading.stored(id.value, call)
        _ = try await WorkspaceKinds.seen(stored.subjectKind, stored.subjectId, call)
        return try Single(await CommentReading.rows(id.value, call))
    }

    static func create(_ call: Call, _ body: Body<NewComment>) async throws -> Created<Comment> {
        let (subject, head) = try await WorkspaceKinds.seen(body.subjectKind.text, body.subjectId, call)
        if !head.canComment { throw Problem.forbidden("You may read this, and not comment on it.") }
        let isInternal = body.isInternal
        if isInternal == true { try call.require(.commentsInternal) }
        let id = UUID.v7()
        let writing = CommentWriting(call: call, subject: subject, head: head)
        try await call.db.transaction { tx in try await writing.create(id, body.value, tx) }
        return try Created(await CommentReading.rows(id, call))
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<CommentChange>) async throws -> Single<
        Comment
    > {
        let stored = try await CommentReading.stored(id.value, call)
        let (subject, head) = try await WorkspaceKinds.seen(stored.subjectKind, stored.subjectId, call)
        let writing = CommentWriting(call: call, subject: subject, head: head)
        try await call.db.transaction { tx in try await writing.change(id.value, body.value, tx) }
        return try Single(await CommentReading.rows(id.value, call))
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let stored = try await CommentReading.stored(id.value, call)
        let (subject, head) = try await WorkspaceKinds.seen(stored.subjectKind, stored.subjectId, call)
        let writing = CommentWriting(call: call, subject: subject, head: head)
        try await call.db.transaction { tx in try await writing.delete(id.value, tx) }
        return NoContent()
    }

    static func edits(_ call: Call, _ id: Path<UUID>, _ list: List<NoFilter>) async throws -> Page<
        CommentEdit
    > {
        let stored = try await CommentReading.stored(id.value, call)
        _ = try await WorkspaceKinds.seen(stored.subjectKind, stored.subjectId, call)
        return try await call.page(
            list,
            """
            SELECT id, body, edited_by, created_at FROM comment_edits
             WHERE company_id = \(call.company) AND comment_id = \(id)
            """)
    }

    static func resolve(_ call: Call, _ id: Path<UUID>) async throws -> Single<Comment> {
        try await settle(true, id.value, call)
        return try Single(await CommentReading.rows(id.value, call))
    }

    static func reopen(_ call: Call, _ id: Path<UUID>) async throws -> Single<Comment> {
        try await settle(false, id.value, call)
        return try Single(await CommentReading.rows(id.value, call))
    }

    private static func settle(_ isSettled: Bool, _ id: UUID, _ call: Call) async throws {
        let stored = try await CommentReading.stored(id, call)
        let (subject, head) = try await WorkspaceKinds.seen(stored.subjectKind, stored.subjectId, call)
        if !head.canComment { throw Problem.forbidden("You may read this, and not comment on it.") }
        let writing = CommentWriting(call: call, subject: subject, head: head)
        try await call.db.transaction { tx in try await writing.settle(id, isSettled, tx) }
    }

    static func react(_ call: Call, _ id: Path<UUID>, _ code: Path<ReactionCode>) async throws -> Single<
        Comment
    > {
        let stored = try await CommentReading.stored(id.value, call)
        let (_, head) = try await WorkspaceKinds.seen(stored.subjectKind, stored.subjectId, call)
        if !head.canComment { throw Problem.forbidden("You may read this, and not comment on it.") }
        if stored.isDeleted { throw Problem(.commentDeleted) }
        let company = try call.company
        let codes: SQL = """
            SELECT count(DISTINCT code) FROM comment_reactions
             WHERE company_id = \(company) AND comment_id = \(id) AND code <> \(code.text)
            """
        _ = try await call.db.write([
            """
            INSERT INTO comment_reactions (company_id, comment_id, user_id, code)
            SELECT \(company), \(id), \(call.user), \(code.text)
             WHERE \(fragment: .below(WorkspaceNumbers.reactionCodesMax, codes, else: .tooManyReactions))
            ON CONFLICT DO NOTHING
            """
        ])
        return try Single(await CommentReading.rows(id.value, call))
    }

    static func unreact(_ call: Call, _ id: Path<UUID>, _ code: Path<ReactionCode>) async throws -> NoContent
    {
        let stored = try await CommentReading.stored(id.value, call)
        _ = try await WorkspaceKinds.seen(stored.subjectKind, stored.subjectId, call)
        let gone = try await call.db.query(
            """
            DELETE FROM comment_reactions
             WHERE company_id = \(call.company) AND comment_id = \(id) AND user_id = \(call.user) AND code = \(code.text)
            """)
        if gone.affected == 0 { throw Problem.notFound }
        return NoContent()
    }
}
