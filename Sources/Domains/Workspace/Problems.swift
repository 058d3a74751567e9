import API

extension ProblemCode {
    public static let tagNameTaken = ProblemCode(
        "tag-name-taken", 409, "Another tag has this name", advice: "Use that tag, or merge the two.")
    public static let tooManyTags = ProblemCode(
        "too-many-tags", 409, "The company has as many tags as it may", advice: "Delete or merge some first.")
    public static let tagIntoItself = ProblemCode(
        "tag-into-itself", 422, "A tag cannot be merged into itself", advice: "Name another tag in `into_id`."
    )
    public static let customFieldKeyTaken = ProblemCode(
        "custom-field-key-taken", 409, "Another field of these things has this key",
        advice: "Choose another `key`. One that was just deleted is free again when its values are gone.")
    public static let tooManyCustomFields = ProblemCode(
        "too-many-custom-fields", 409, "These things have as many fields as they may",
        advice: "Archived fields count too: delete what is not needed.")
    public static let customFieldOptionInUse = ProblemCode(
        "custom-field-option-in-use", 409, "Something has one of the options that were left out",
        advice: "Send the option along with `is_archived`: it stays where it is and is offered no more.")
    public static let commentDeleted = ProblemCode(
        "comment-deleted", 409, "This comment has been deleted", advice: "Begin a new thread.")
    public static let notYourComment = ProblemCode(
        "not-your-comment", 403, "This comment is another's",
        advice: "Its text is its author's to change; who manages the thing may delete it.")
    public static let notAThread = ProblemCode(
        "not-a-thread", 409, "Only what begins a thread can be settled",
        advice: "Name the comment in `parent_id`.")
    public static let tooManyReactions = ProblemCode(
        "too-many-reactions", 409, "The comment has as many different reactions as it may",
        advice: "Join one of those that are there.")
    public static let tooManyViews = ProblemCode(
        "too-many-saved-views", 409, "You have as many saved views as you may", advice: "Delete some first.")
    public static let importEmpty = ProblemCode(
        "import-empty", 422, "There is no table in the file", advice: "Send CSV with at least one row.")
    public static let importTooWide = ProblemCode(
        "import-too-wide", 422, "The table has more columns than can be imported",
        advice: "Leave out what is not needed.")
    public static let importTooLarge = ProblemCode(
        "import-too-large", 422, "The file is larger than can be imported", advice: "Split it.")
    public static let importBusy = ProblemCode(
        "import-busy", 409, "The import is being worked on", advice: "Wait for its end, or cancel it.")
    public static let importOver = ProblemCode(
        "import-over", 409, "The import has been run", advice: "Upload the table again for another.")
    public static let importNotBusy = ProblemCode(
        "import-not-busy", 409, "The import is not being run", advice: "There is nothing to stop.")
    public static let importNotDone = ProblemCode(
        "import-not-done", 409, "The import has nothing to take back",
        advice: "Only what has been run can be undone, and once.")
    public static let exportNotRunning = ProblemCode(
        "export-not-running", 409, "The export has come to its end", advice: "There is nothing to stop.")
    public static let tooManyFeeds = ProblemCode(
        "too-many-calendar-feeds", 409, "You have as many calendar feeds as you may",
        advice: "Revoke one that is not used.")

    static let ofWorkspace: [ProblemCode] = [
        tagNameTaken, tooManyTags, tagIntoItself, customFieldKeyTaken, tooManyCustomFields,
        customFieldOptionInUse,
        commentDeleted, notYourComment, notAThread, tooManyReactions, tooManyViews,
        importEmpty, importTooWide, importTooLarge, importBusy, importOver, importNotBusy, importNotDone,
        exportNotRunning, tooManyFeeds,
    ]
}
