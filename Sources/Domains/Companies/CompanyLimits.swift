/// Every number of this domain, with its reason.
enum CompanyLimits {
    /// Long enough for somebody on holiday, short enough that a forgotten mail is no way in.
    static let invitationDays = 7
    static let invitationDaysMax = 30
    /// A pending invitation may be mailed so often; after that the address is evidently wrong.
    static let invitationMailsMax = 5
    /// Mails to strangers in a company's name: a large firm's first day, and no use to a sender of junk.
    static let invitationMailsPerDay = 500
    /// Companies one person may own: what a free sign-up could otherwise make without end.
    static let companiesOwnedMax = 20
    static let clientCompaniesMax = 500
    static let customRolesMax = 200
    /// One a program; a company with more has a use for fewer, with more keys.
    static let serviceAccountsMax = 100
    static let teamsMax = 500
    /// A firm with its countries and brands.
    static let domainsMax = 50
    /// Checked once a day: a week without the record is no slip of the zone's keeper.
    static let domainFailuresMax = 7
    /// More is a role that was forgotten.
    static let grantsMax = 10_000
    static let joinLinksMax = 50
    /// What a person can read on one page and the database can keep beside a row.
    static let attributesBytesMax = 8192
    /// What a company wants to know of its people: more is a form nobody fills in.
    static let attributesMax = 50
    static let attributeTextMax = 500
    /// A spreadsheet of people: each row is some five statements under the company's lock.
    static let invitationFileRowsMax = 200
    static let invitationFileBytesMax = 256 << 10
    /// One a month for decades.
    static let reviewsMax = 500
    static let exportedItemsMax = 100_000
    /// How long a deleted company can be restored.
    static let graceDays = 30
    /// An e-mailed confirmation of a new owner.
    static let transferHours = 24
    /// A logo is loaded with every mail and page.
    static let logoBytesMax = 2 << 20
    static let exportedMembersMax = 50_000
}
