import Core
import Postgres
import Wire

/// What others may react to. The text is not part of it: it is read with the rights of whoever reads it.
enum CommentEvents {
    static let all = [created.erased, updated.erased, deleted.erased, resolved.erased, reopened.erased]

    struct Data: Codable, Sendable {
        let commentId: UUID
        let subjectKind: String
        let subjectId: UUID
        let parentId: UUID?
        let isInternal: Bool
    }

    private static let example = Data(
        commentId: UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a40")!, subjectKind: "task",
        subjectId: UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a41")!, parentId: nil, isInternal: true)

    static let created = EventType("comment.created", "Somebody commented on a thing.", example: example)
    static let updated = EventType("comment.updated", "A comment says something else.", example: example)
    static let deleted = EventType("comment.deleted", "A comment was deleted.", example: example)
    static let resolved = EventType("comment.resolved", "A thread was called settled.", example: example)
    static let reopened = EventType(
        "comment.reopened", "A settled thread was opened again.", example: example)

    static func sql(_ type: EventType<Data>, _ comment: StoredComment, by actor: Audit.Actor, _ company: UUID)
        throws -> SQL
    {
        try Events.sql(
            type,
            Data(
                commentId: comment.id, subjectKind: comment.subjectKind, subjectId: comment.subjectId,
                parentId: comment.parentId, isInternal: comment.isInternal),
            on: "comment", comment.id, by: actor, company: company)
    }

    static func audit(_ action: String, _ comment: StoredComment, by actor: Audit.Actor, _ company: UUID)
        -> SQL
    {
        Audit.sql(
            .init(
                action, on: "comment", comment.id,
                after: [
                    "subject_kind": .string(comment.subjectKind),
                    "subject_id": .string(comment.subjectId.description),
                    "is_internal": .bool(comment.isInternal),
                ]),
            by: actor, company: company)
    }
}

/// A comment as decisions need it.
struct StoredComment: Decodable, Sendable {
    let id: UUID
    let subjectKind: String
    let subjectId: UUID
    let parentId: UUID?
    let authorId: UUID?
    let body: String
    let isInternal: Bool
    let isResolved: Bool
    let isDeleted: Bool
    let version: Int64

    static let columns: SQL = """
        c.id, c.subject_kind, c.subject_id, c.parent_id, c.author_id, c.body, c.is_internal,
        c.resolved_at IS NOT NULL AS is_resolved, c.deleted_at IS NOT NULL AS is_deleted, c.version
        """
}
