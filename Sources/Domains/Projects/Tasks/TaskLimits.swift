import Wire

/// Every number of tasks, with its reason.
enum TaskLimits {
    /// Who has more has nobody who feels meant.
    static let assigneesMax = 20
    /// A task, its parts, their parts …: deeper nesting nobody finds his way in.
    static let depthMax = 5
    static let subtasksMax = 500
    static let checklistItemsMax = 200
    static let relationsMax = 100
    static let linksMax = 100
    static let attachmentsMax = 100
    /// As many as a card has room for.
    static let tagsMax = 30
    /// As much as one transaction writes within a second.
    static let bulkMax = 500
    /// A bulk that moves more tasks tells each of those concerned once, of the number.
    static let newsMax = 20
    /// Custom values are read with every row of a list.
    static let customBytesMax = 16_384
    /// After this the ranks of a project are dealt anew: keys this long come of hundreds of moves into one gap.
    static let rankLengthMax = 40
    static let trashDays = 30
    /// Rows swept in one transaction.
    static let sweptAtOnce = 200
    /// How long before it is due a task is due soon.
    static let dueSoonHours = 24
    /// One round of telling.
    static let toldAtOnce = 200
    static let boardColumnsMax = 50
    static let recurrencesMax = 200
}
