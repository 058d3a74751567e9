/// Every number of signing in, with its reason. What an operator may choose stands in the settings instead.
enum AuthLimits {
    /// A face in a list, loaded with every page.
    static let avatarBytesMax = 2 << 20
    /// A client whose answer was lost asks again within seconds; a thief comes later.
    static let lostAnswer: Duration = .seconds(30)
    /// Wrong six-digit codes before the mail's code is void: one chance in 200,000 of a guess.
    static let codeAttemptsMax = 5
    /// Mails of one kind to one account in an hour: nobody's mailbox is flooded through us.
    static let mailsPerHour = 5
    /// To type a code from the phone after the password.
    static let secondStep: Duration = .seconds(600)
    /// A link to sign in with: to walk to the mailbox and back.
    static let magicLink: Duration = .seconds(900)
    /// From here to a provider and back, with a password and a second factor on the way.
    static let loginFlow: Duration = .seconds(600)
    /// What a provider publishes about itself changes seldom; a new key is asked for when a token names it.
    static let providerRemembered: Duration = .seconds(3600)
    static let providerKeysAskedEvery: Duration = .seconds(60)
    /// Providers of companies, of which there may be any number.
    static let providersRemembered = 1000
    /// The link under "this was not me" must outlive a holiday.
    static let notMe: Duration = .seconds(14 * 86_400)
    /// How long a proof of identity lets a session do sensitive things.
    static let reauthentication: Duration = .seconds(900)
    /// Factors and keys one person may have: more is a program gone wild.
    static let factorsMax = 10
    static let apiKeysMax = 100
    static let recoveryCodes = 10
    /// Passwords waiting to be hashed, per core: at a tenth of a second each the last waits about three seconds.
    static let hashesWaitingPerCore = 32
    /// Answers about addresses that may or may not have an account leave no sooner than this after they came, so
    /// that the time tells nothing.
    static let uniformAnswer: Duration = .milliseconds(150)
    /// How often a session's or key's last use is written down.
    static let lastUseEvery: Duration = .seconds(60)
    /// Signing keys are exchanged after this long.
    static let signingKeyLife: Duration = .seconds(30 * 86_400)
    /// A key not found is looked for in the database, but not more often than this.
    static let keySearchEvery: Duration = .seconds(1)
    /// An instance that did not exchange the keys itself signs with the old one at most so much longer.
    static let keysFreshFor: Duration = .seconds(60)
    /// Rows of the past (ended sessions, used links, throttles) are kept so long for questions, then swept away.
    static let keptAfterEnd: Duration = .seconds(30 * 86_400)
}

/// When failed sign-ins begin to cost time. Waiting doubles with each further failure.
struct ThrottleRule: Sendable {
    let free: Int

    /// One account from one address: five slips of the finger, then it slows down.
    static let pair = ThrottleRule(free: 5)
    /// One account from anywhere: a guess spread over many addresses. Higher than the pair's, so that one stranger
    /// cannot lock somebody out.
    static let account = ThrottleRule(free: 20)
    /// One address, whatever the account: an office behind one address makes more mistakes than a person.
    static let address = ThrottleRule(free: 100)
    static let longest: Duration = .seconds(900)
    /// After so long without a failure all is forgotten.
    static let memory: Duration = .seconds(3600)
}
