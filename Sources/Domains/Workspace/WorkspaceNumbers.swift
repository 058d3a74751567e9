/// Every limit of this domain, with its reason; those the other domains know too stand in `WorkspaceLimits`.
enum WorkspaceNumbers {
    /// A whole team; more is what a watcher is for.
    static let mentionsMax = 50
    /// Signs under one comment: more is noise.
    static let reactionCodesMax = 20
    /// What a notice shows of a comment.
    static let excerptLength = 200
    /// A person's own; more than a menu can show.
    static let viewsMax = 200
    /// What an address could hold as well.
    static let filterBytesMax = 8192
}
