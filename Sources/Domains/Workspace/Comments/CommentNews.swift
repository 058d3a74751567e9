import API
import Core
import Postgres
import Wire

/// What people are told of comments: who is mentioned hears of that, who is in the thread of the reply, and who watches
/// the thing of what is new; nobody twice, and nobody of what he may not read.
enum CommentNews {
    static let all = [mentioned, replied, commented]

    private static let values = ["author", "title", "excerpt"]

    static let mentioned = NotificationType(
        "comment.mentioned", category: "comments", summary: "Somebody mentioned you in a comment.",
        severity: .high,
        values: values,
        texts: [
            "en": .init("{{author}} mentioned you: {{title}}", "{{excerpt}}"),
            "de": .init("{{author}} hat Sie erwähnt: {{title}}", "{{excerpt}}"),
        ])

    static let replied = NotificationType(
        "comment.replied", category: "comments", summary: "Somebody answered in a thread you take part in.",
        values: values,
        texts: [
            "en": .init("{{author}} replied: {{title}}", "{{excerpt}}"),
            "de": .init("{{author}} hat geantwortet: {{title}}", "{{excerpt}}"),
        ])

    static let commented = NotificationType(
        "comment.created", category: "comments", summary: "Somebody commented on a thing you watch.",
        channels: [.inApp],
        values: values,
        texts: [
            "en": .init("{{author}} commented: {{title}}", "{{excerpt}}"),
            "de": .init("{{author}} hat kommentiert: {{title}}", "{{excerpt}}"),
        ])

    /// Tells those concerned. Of an edit only those it mentions anew hear.
    @inline(never)
    static func tell(
        of comment: StoredComment, _ head: SubjectHead, _ audience: CommentAudience, isNew: Bool,
        by actor: Audit.Actor,
        company: UUID, in tx: Transaction
    ) async throws {
        let news: JSON = [
            "author": .string(audience.authorName), "title": .string(head.title),
            "excerpt": .string(audience.excerpt(of: comment.body)),
        ]
        let link = "\(head.link)#comment-\(comment.id)"
        var groups = [(mentioned, audience.mentioned, "mentioned")]
        if isNew {
            groups += [
                (replied, audience.inThread, "participant"), (commented, audience.watching, "watcher"),
            ]
        }
        for (type, people, relation) in groups where !people.isEmpty {
            // About the comment and not about the thing: who watches the thing is in the audience only when he may read it.
            try await Notify.record(
                News(type, about: .init("comment", comment.id), values: news, link: link, by: actor),
                to: .users(people, as: relation), company: company, in: tx)
        }
    }
}
