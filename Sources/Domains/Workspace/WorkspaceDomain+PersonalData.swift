import Core

/// What the workspace holds about people.
extension WorkspaceDomain {
    public static let personalData: [PersonalData] = [
        .none("tags", "the company's own words"),
        .none("custom_fields", "the company's own fields"),
        .none("saved_views", "lists as members like to see them; whose they are is said by membership"),
        .none("saved_view_choices", "which views members have at hand"),
        .none("comment_mentions", "memberships that comments mention"),
        PersonalData("comment_reactions", "Signs somebody put under comments", of: .user("user_id"), erase: .delete),
        PersonalData(
            "comment_edits", "What comments said before somebody changed them", of: .user("edited_by"),
            erase: .blank("edited_by = NULL")),
        // What was said stays the company's; who said it is not told any more.
        PersonalData(
            "comments", "What somebody said about the company's things", of: .user("author_id"),
            erase: .blank("author_id = NULL")),
    ]
}
