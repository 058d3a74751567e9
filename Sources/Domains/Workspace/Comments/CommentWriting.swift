import API
import Core
import Postgres
import Wire

/// Writes comments, with all that goes along: mentions, history, news, events, the record of changes.
struct CommentWriting: Sendable {
    let call: Call
    let subject: Subject
    let head: SubjectHead

    @inline(never)
    func create(_ id: UUID, _ new: NewComment, _ tx: Transaction) async throws {
        let (company, user) = (try call.company, try call.user)
        let parent = try await parent(of: new, company, tx)
        let isInternal = new.isInternal ?? parent?.isInternal ?? call.can(.commentsInternal)
        if parent?.isInternal == true, !isInternal {
            throw Problem.unprocessable(
                "/is_internal", "not-allowed", "an answer to what is internal is internal")
        }
        let comment = StoredComment(
            id: id, subjectKind: new.subjectKind.text, subjectId: new.subjectId, parentId: parent?.id,
            authorId: user,
            body: new.body.text, isInternal: isInternal, isResolved: false, isDeleted: false, version: 1)
        let mentions = try mentions(in: comment.body)
        let audience = try await CommentAudience.of(
            comment, subject, mentions: mentions, author: user, company: company, in: tx)
        try audience.mustInclude(mentions)
        _ = try await tx.batch([
            """
            INSERT INTO comments (company_id, id, subject_kind, subject_id, parent_id, author_id, body, is_internal)
            VALUES (\(company), \(id), \(comment.subjectKind), \(comment.subjectId), \(comment.parentId), \(user),
                    \(comment.body), \(isInternal))
            """,
            Self.mention(mentions, id, company),
            Watchers.add([user], to: .init(comment.subjectKind, comment.subjectId), company: company),
            CommentEvents.audit("comment.created", comment, by: call.actor, company),
            try CommentEvents.sql(CommentEvents.created, comment, by: call.actor, company),
        ])
        try await CommentNews.tell(
            of: comment, head, audience, isNew: true, by: call.actor, company: company, in: tx)
    }

    /// The beginning of the thread to answer in: what answers an answer goes into the same thread.
    @inline(never)
    private func parent(of new: NewComment, _ company: UUID, _ tx: Transaction) async throws -> StoredComment?
    {
        guard let wanted = new.parentId else { return nil }
        // FOR KEY SHARE: what is answered is not deleted meanwhile.
        let rows = try await tx.query(
            """
            SELECT \(fragment: StoredComment.columns)
              FROM comments said
              JOIN comments c ON c.company_id = said.company_id AND c.id = coalesce(said.parent_id, said.id)
             WHERE said.company_id = \(company) AND said.id = \(wanted) AND said.subject_kind = \(new.subjectKind.text)
               AND said.subject_id = \(new.subjectId) AND \(fragment: CommentReading.isReadable(call, "said"))
               AND \(fragment: CommentReading.isReadable(call))
               FOR KEY SHARE OF c
            """)
        guard let row = rows.first else {
            throw Problem.unprocessable("/parent_id", "unknown-comment", "is no comment on this thing")
        }
        let parent = try row.decode(StoredComment.self)
        if parent.isDeleted, parent.id == wanted { throw Problem(.commentDeleted) }
        return parent
    }

    @inline(never)
    func change(_ id: UUID, _ change: CommentChange, _ tx: Transaction) async throws {
        let (company, user) = (try call.company, try call.user)
        let old = try await locked(id, company, tx)
        try call.requireVersion(old.version)
        if old.isDeleted { throw Problem(.commentDeleted) }
        let isAuthor = old.authorId == user
        if !isAuthor, change.body != nil || !head.canModerate { throw Problem(.notYourComment) }
        if change.isInternal != nil { try call.require(.commentsInternal) }
        let isInternal = change.isInternal ?? old.isInternal
        if !isInternal { try await mustNotAnswerInternal(old, company, tx) }
        let comment = StoredComment(
            id: id, subjectKind: old.subjectKind, subjectId: old.subjectId, parentId: old.parentId,
            authorId: old.authorId, body: change.body?.text ?? old.body, isInternal: isInternal,
            isResolved: old.isResolved, isDeleted: false, version: old.version)
        let (known, mentions) = (Mentions.members(in: old.body), try mentions(in: comment.body))
        let audience = try await CommentAudience.of(
            comment, subject, mentions: mentions, known: known, author: user, company: company, in: tx)
        // Who was mentioned before may have lost the right to read it since; that is no fault of this change.
        try audience.mustInclude(mentions.filter { !known.contains($0) })
        _ = try await tx.batch(
            try Self.write(
                comment, over: old, mentions.filter { audience.members[$0] != nil }, by: user, company)
                + [
                    CommentEvents.audit("comment.changed", comment, by: call.actor, company),
                    CommentEvents.sql(CommentEvents.updated, comment, by: call.actor, company),
                ])
        try await CommentNews.tell(
            of: comment, head, audience, isNew: false, by: call.actor, company: company, in: tx)
    }

    private static func write(
        _ comment: StoredComment, over old: StoredComment, _ mentions: [UUID], by user: UUID, _ company: UUID
    ) throws -> [SQL] {
        var changes = Changes()
        changes.set("is_internal", comment.isInternal)
        var statements: [SQL] = []
        if comment.body != old.body {
            changes.set("body", comment.body)
            changes.set("edited_at", to: "now()")
            statements = [
                """
                INSERT INTO comment_edits (company_id, id, comment_id, edited_by, body)
                VALUES (\(company), \(UUID.v7()), \(comment.id), \(user), \(old.body))
                """,
                """
                DELETE FROM comment_mentions
                 WHERE company_id = \(company) AND comment_id = \(comment.id) AND member_id <> ALL(\(mentions)::uuid[])
                """,
                mention(mentions, comment.id, company),
            ]
        }
        statements.append(
            "UPDATE comments SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = \(comment.id)"
        )
        if comment.isInternal, !old.isInternal {
            statements.append(
                """
                UPDATE comments SET is_internal = true, version = version + 1, updated_at = now()
                 WHERE company_id = \(company) AND parent_id = \(comment.id) AND NOT is_internal
                """)
        }
        return statements
    }

    @inline(never)
    private func mustNotAnswerInternal(_ comment: StoredComment, _ company: UUID, _ tx: Transaction)
        async throws
    {
        guard comment.isInternal, let parent = comment.parentId else { return }
        let rows = try await tx.query(
            "SELECT 1 FROM comments WHERE company_id = \(company) AND id = \(parent) AND is_internal")
        if !rows.isEmpty {
            throw Problem.unprocessable(
                "/is_internal", "not-allowed", "an answer to what is internal is internal")
        }
    }

    @inline(never)
    func delete(_ id: UUID, _ tx: Transaction) async throws {
        let (company, user) = (try call.company, try call.user)
        let old = try await locked(id, company, tx)
        if old.authorId != user, !head.canModerate { throw Problem(.notYourComment) }
        if old.isDeleted { throw Problem.notFound }
        let answers = try await tx.batch([
            """
            UPDATE comments SET body = '', deleted_at = now(), resolved_at = NULL, resolved_by = NULL,
                                version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = \(id)
               AND EXISTS (SELECT 1 FROM comments r WHERE r.company_id = \(company) AND r.parent_id = \(id))
            RETURNING id
            """,
            "DELETE FROM comment_edits WHERE company_id = \(company) AND comment_id = \(id)",
            "DELETE FROM comment_mentions WHERE company_id = \(company) AND comment_id = \(id)",
            "DELETE FROM comment_reactions WHERE company_id = \(company) AND comment_id = \(id)",
            CommentEvents.audit("comment.deleted", old, by: call.actor, company),
            try CommentEvents.sql(CommentEvents.deleted, old, by: call.actor, company),
        ])
        guard answers[0].isEmpty else { return }
        // The empty place of a thread goes with its last reply.
        _ = try await tx.batch([
            "DELETE FROM comments WHERE company_id = \(company) AND id = \(id)",
            """
            DELETE FROM comments c
             WHERE c.company_id = \(company) AND c.id = \(old.parentId)::uuid AND c.deleted_at IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM comments r WHERE r.company_id = \(company) AND r.parent_id = c.id)
            """,
        ])
    }

    @inline(never)
    func settle(_ id: UUID, _ isSettled: Bool, _ tx: Transaction) async throws {
        let (company, user) = (try call.company, try call.user)
        let comment = try await locked(id, company, tx)
        if comment.isDeleted { throw Problem(.commentDeleted) }
        if comment.parentId != nil { throw Problem(.notAThread) }
        if comment.isResolved == isSettled { return }
        let type = isSettled ? CommentEvents.resolved : CommentEvents.reopened
        _ = try await tx.batch([
            """
            UPDATE comments SET resolved_at = \(isSettled ? call.now : nil)::timestamptz,
                                resolved_by = \(isSettled ? user : nil)::uuid, version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = \(id)
            """,
            CommentEvents.audit(type.name, comment, by: call.actor, company),
            try CommentEvents.sql(type, comment, by: call.actor, company),
        ])
    }

    @inline(never)
    private func locked(_ id: UUID, _ company: UUID, _ tx: Transaction) async throws -> StoredComment {
        // A thread before its replies, so that two who delete in it do not wait for each other.
        let rows = try await tx.query(
            """
            WITH thread AS MATERIALIZED (
                SELECT id FROM comments
                 WHERE company_id = \(company)
                   AND id = (SELECT coalesce(parent_id, id) FROM comments WHERE company_id = \(company) AND id = \(id))
                   FOR UPDATE)
            SELECT \(fragment: StoredComment.columns) FROM thread, comments c
             WHERE c.company_id = \(company) AND c.id = \(id) AND \(fragment: CommentReading.isReadable(call)) FOR UPDATE OF c
            """)
        guard let row = rows.first else { throw Problem.notFound }
        return try row.decode(StoredComment.self)
    }

    private func mentions(in body: String) throws(Problem) -> [UUID] {
        let members = Mentions.members(in: body)
        if members.count > WorkspaceNumbers.mentionsMax {
            throw .unprocessable(
                "/body", "too-many",
                "mentions \(members.count) people, \(WorkspaceNumbers.mentionsMax) are allowed")
        }
        return members
    }

    private static func mention(_ members: [UUID], _ comment: UUID, _ company: UUID) -> SQL {
        """
        INSERT INTO comment_mentions (company_id, comment_id, member_id)
        SELECT \(company)::uuid, \(comment)::uuid, named.id FROM unnest(\(members)::uuid[]) AS named (id)
        ON CONFLICT DO NOTHING
        """
    }
}
