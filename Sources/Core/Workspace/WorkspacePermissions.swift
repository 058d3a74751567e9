import API

extension Permission {
    public static let commentsInternal = Permission(
        "comments:internal", "Read and write comments that clients do not see",
        [.owner, .admin, .manager, .member, .viewer])
}
