import Core

/// What the workspace holds about people.
extension WorkspaceDomain {
    public static let personalData: [PersonalData] = [
        .none("tags", "the company's own words"),
        .none("custom_fields", "the company's own fields"),
        .none("saved_views", "lists as members like to see them; whose they are is said by membership"),
        .none("saved_view_choices", "which views members have at hand"),
        PersonalData(
            "imports", "Tables somebody brought in", of: .user("created_by"),
            erase: .blank("created_by = NULL, sample = '[]', error = NULL")),
        PersonalData(
            "exports", "Tables somebody took out", of: .user("created_by"), erase: .blank("created_by = NULL")
        ),
        PersonalData(
            "calendar_feeds", "Secret addresses of somebody's calendar", of: .user("user_id"),
            hiding: ["token_sha256"],
            erase: .delete),
        .none("import_rows", "what became of the rows of tables; those that failed stand here as they were"),
        .none("comment_mentions", "memberships that comments mention"),
        PersonalData(
            "comment_reactions", "Signs somebody put under comments", of: .user("user_id"), erase: .delete),
        PersonalData(
            "comment_edits", "What comments said before somebody changed them", of: .user("edited_by"),
            erase: .blank("edited_by = NULL")),
        // What was said stays the company's; who said it is not told any more.
        PersonalData(
            "comments", "What somebody said about the company's things", of: .user("author_id"),
            erase: .blank("author_id = NULL")),
    ]

    public static let retention: [RetentionClass] = [
        RetentionClass(
            "imports", "Imports that have been run, with what became of each row", table: "imports",
            since: "created_at",
            only: "t.state IN ('done', 'failed', 'cancelled', 'undone')", days: 90, within: 30...365),
        RetentionClass(
            "exports", "What was taken out, and when; the files go after a week", table: "exports",
            since: "created_at",
            only: "t.state <> 'running'", days: 90, within: 30...730),
    ]
}
