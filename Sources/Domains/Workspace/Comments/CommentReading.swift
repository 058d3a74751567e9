import API
import Core
import Postgres
import Wire

/// Comments as a caller may read them.
enum CommentReading {
    /// The comment, when the caller may read such; whether he may see the thing is still to be asked.
    @inline(never)
    static func stored(_ id: UUID, _ call: Call) async throws -> StoredComment {
        let rows = try await call.db.query(
            """
            SELECT \(fragment: StoredComment.columns) FROM comments c
             WHERE c.company_id = \(call.company) AND c.id = \(id) AND \(fragment: isReadable(call))
            """)
        guard let row = rows.first else { throw Problem.notFound }
        return try row.decode(StoredComment.self)
    }

    @inline(never)
    static func rows(_ id: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query("\(fragment: select(call)) AND c.id = \(id)")
    }

    /// What the caller may read of `said`, a row of comments.
    static func isReadable(_ call: Call, _ said: String = "c") -> SQL {
        call.can(.commentsInternal) ? "TRUE" : "NOT \(unescaped: said).is_internal"
    }

    static func select(_ call: Call) throws -> SQL {
        let (company, user) = (try call.company, try call.user)
        let replies: SQL = """
            SELECT count(*)::integer FROM comments r
             WHERE r.company_id = c.company_id AND r.parent_id = c.id AND r.deleted_at IS NULL
               AND \(fragment: isReadable(call, "r"))
            """
        return """
            SELECT c.id, c.subject_kind, c.subject_id, c.parent_id, \(fragment: author) AS author,
                   CASE WHEN c.deleted_at IS NULL THEN c.body END AS body, c.is_internal,
                   \(fragment: mentions) AS mentions, \(fragment: reactions(user)) AS reactions,
                   reply.count AS reply_count, c.resolved_at, c.resolved_by, c.edited_at,
                   c.deleted_at IS NOT NULL AS is_deleted, c.version, c.created_at, c.updated_at
              FROM comments c
             CROSS JOIN LATERAL (\(fragment: replies)) AS reply (count)
             WHERE c.company_id = \(company) AND \(fragment: isReadable(call))
               AND (c.deleted_at IS NULL OR reply.count > 0)
            """
    }

    private static let author: SQL = """
        (SELECT jsonb_build_object('user_id', u.id, 'member_id', m.id, 'name', u.name)
           FROM users u
           LEFT JOIN memberships m ON m.company_id = c.company_id AND m.user_id = u.id AND m.status = 'active'
          WHERE u.id = c.author_id AND c.deleted_at IS NULL LIMIT 1)
        """

    private static let mentions: SQL = """
        (SELECT coalesce(jsonb_agg(jsonb_build_object('user_id', u.id, 'member_id', m.id, 'name', u.name) ORDER BY u.name), '[]')
           FROM comment_mentions cm
           JOIN memberships m ON m.company_id = cm.company_id AND m.id = cm.member_id
           JOIN users u ON u.id = m.user_id
          WHERE cm.company_id = c.company_id AND cm.comment_id = c.id)
        """

    private static func reactions(_ user: UUID) -> SQL {
        """
        (SELECT coalesce(jsonb_agg(jsonb_build_object('code', x.code, 'count', x.count, 'is_mine', x.is_mine) ORDER BY x.since), '[]')
           FROM (SELECT code, count(*) AS count, bool_or(user_id = \(user)) AS is_mine, min(created_at) AS since
                   FROM comment_reactions
                  WHERE company_id = c.company_id AND comment_id = c.id GROUP BY code) x)
        """
    }
}
