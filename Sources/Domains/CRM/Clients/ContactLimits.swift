/// The limits of clients and contacts, each with its reason.
enum ContactLimits {
    /// E-mail addresses, numbers and outside ids of one person; nobody has more, and a list of hundreds is a mistake.
    static let identitiesMax = 50
    /// Addresses, files and relations of one record, so that it is read in one piece.
    static let partsMax = 100
    /// Records changed by one request; it is one transaction.
    static let bulkMax = 500
    /// Contacts written by one request.
    static let upsertMax = 100
    /// Bytes of a record's custom values.
    static let customBytesMax = 65_536
    /// What lies in the trash can be taken out for so long.
    static let trashDays = 30
    /// Records that a group of equal names may have before it says nothing any more: `Info`, `Reception`.
    static let sameNameMax = 20
    /// Similar records shown.
    static let similarMax = 10
    /// A merge can be undone for so long.
    static let undoDays = 90
    /// Companies are looked at again after so long, for what lies in the trash.
    static let upkeepRestMinutes = 60
}
