import Postgres
import Wire

/// How many comments a thing has, for the columns of its owner's lists.
public enum CommentCounts {
    /// A subselect: comments that stand, without removed ones. `id` is the thing's column: `t.id`.
    /// - Parameter internalToo: false for somebody who sees what clients see: `principal.permissions.contains(.commentsInternal)`.
    public static func of(_ kind: String, id: SQL, internalToo: Bool, company: UUID) -> SQL {
        """
        (SELECT count(*)::integer FROM comments said
          WHERE said.company_id = \(company) AND said.subject_kind = \(kind) AND said.subject_id = \(fragment: id)
            AND said.deleted_at IS NULL AND (\(internalToo) OR NOT said.is_internal))
        """
    }
}
