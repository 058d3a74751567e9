import API
import Core
import Postgres
import Wire

/// Those a comment concerns and who may read it.
struct CommentAudience: Sendable {
    /// Users, none in two of the three.
    private(set) var mentioned: [UUID] = []
    private(set) var inThread: [UUID] = []
    private(set) var watching: [UUID] = []
    /// Members that the text mentions and who may read it, with their names.
    private(set) var members: [UUID: String] = [:]
    private(set) var authorName = ""

    /// - Parameter known: members it has mentioned before.
    @inline(never)
    static func of(
        _ comment: StoredComment, _ subject: Subject, mentions: [UUID], known: [UUID] = [], author: UUID,
        company: UUID,
        in tx: Transaction
    ) async throws -> CommentAudience {
        let mayRead: SQL = comment.isInternal ? Permission.commentsInternal.isHeld() : "TRUE"
        let thing = Notify.Subject(comment.subjectKind, comment.subjectId)
        let rows = try await tx.query(
            """
            WITH thread AS (
                SELECT author_id FROM comments
                 WHERE company_id = \(company) AND \(comment.parentId)::uuid IS NOT NULL
                   AND (id = \(comment.parentId)::uuid OR parent_id = \(comment.parentId)::uuid)
                   AND deleted_at IS NULL AND author_id IS NOT NULL)
            SELECT m.id, m.user_id, u.name, m.id = ANY(\(mentions)::uuid[]) AS is_mentioned,
                   m.user_id IN (SELECT author_id FROM thread) AS is_in_thread
              FROM memberships m
              JOIN users u ON u.id = m.user_id
             WHERE m.company_id = \(company) AND m.status = 'active'
               AND (m.id = ANY(\(mentions)::uuid[]) OR m.user_id IN (SELECT author_id FROM thread)
                    OR \(fragment: Watchers.includes("m.user_id", of: thing, company: company)))
               AND \(fragment: subject.permission.isHeld()) AND \(fragment: mayRead)
               AND \(fragment: subject.visible(company, comment.subjectId))
            """)
        var audience = CommentAudience()
        for row in rows {
            let (member, user) = (try row.get("id", as: UUID.self), try row.get("user_id", as: UUID.self))
            if try row.get("is_mentioned", as: Bool.self) {
                audience.members[member] = try row.get("name")
                if user != author, !known.contains(member) { audience.mentioned.append(user) }
            } else if user != author {
                if try row.get("is_in_thread", as: Bool.self) {
                    audience.inThread.append(user)
                } else {
                    audience.watching.append(user)
                }
            }
        }
        let names = try await tx.query("SELECT name FROM users WHERE id = \(author)")
        audience.authorName = try names.first?.get("name") ?? ""
        return audience
    }

    /// Throws 422 for the first member mentioned who may not read it, or is none.
    func mustInclude(_ mentions: [UUID]) throws(Problem) {
        let strangers = mentions.filter { members[$0] == nil }
        guard !strangers.isEmpty else { return }
        throw .unprocessable(
            strangers.map {
                .at("/body", "mention-cannot-see", "mentions \($0), who is no member that may read this")
            })
    }

    /// The beginning of the text, with names in place of mentions.
    func excerpt(of body: String) -> String {
        let spoken = Mentions.spelled(body) { members[$0].map { "@\($0)" } ?? "@…" }
        let line = spoken.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return line.count > WorkspaceNumbers.excerptLength
            ? line.prefix(WorkspaceNumbers.excerptLength - 1) + "…" : line
    }
}

/// `<@member_id>` in a text.
enum Mentions {
    /// Whom a text mentions, each once.
    static func members(in body: String) -> [UUID] {
        var found: [UUID] = []
        _ = spelled(body) { member in
            if !found.contains(member) { found.append(member) }
            return ""
        }
        return found
    }

    /// The text with something else in place of each mention.
    static func spelled(_ body: String, _ name: (UUID) -> String) -> String {
        var out = ""
        var rest = Substring(body)
        while let start = rest.range(of: "<@") {
            out += rest[..<start.lowerBound]
            rest = rest[start.upperBound...]
            if let end = rest.firstIndex(of: ">"), let member = UUID(String(rest[..<end])) {
                out += name(member)
                rest = rest[rest.index(after: end)...]
            } else {
                out += "<@"
            }
        }
        return out + rest
    }
}

extension Substring {
    fileprivate func range(of sign: String) -> Range<Index>? {
        var at = startIndex
        while at < endIndex {
            if self[at...].hasPrefix(sign) { return at..<index(at, offsetBy: sign.count) }
            at = index(after: at)
        }
        return nil
    }
}
