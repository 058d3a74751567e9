/// The limits of the search index.
public enum SearchLimits {
    /// Different words of one thing: a long text is found by its first ones, and no text fills the index by itself.
    public static let wordsMax = 300
    /// Letters of a word that count; what follows tells no two things apart.
    static let lettersMax = 40
    /// Words with fewer letters have too many neighbours for a slip to be forgiven.
    static let slipLettersMin = 4
    /// From here on two slips are forgiven when one of them is a letter too many.
    static let twoSlipsLettersMin = 8
    /// Longer words are addresses and codes, which are copied rather than typed.
    static let slipLettersMax = 20
    /// Words of a query: each is a look-up of its own.
    public static let queryWordsMax = 8
    /// Digits from which a query of digits alone is taken for a telephone number.
    static let phoneDigitsMin = 5
    /// Things of one statement.
    public static let thingsMax = 1_000
    /// Words of the dictionary that a round of upkeep looks at in one transaction.
    static let wordsAtOnce = 5_000
}
