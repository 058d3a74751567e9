extension PersonalData {
    /// The tables that the program itself keeps, whatever its domains are.
    public static let ofCore: [PersonalData] = [
        .none("schema_migrations", "which migrations have been applied"),
        .none("worker_leases", "which instance does what"),
        .none("access_changes", "ids of those whose rights changed within the hour"),
        .none("idempotency_keys", "answers kept sealed for a day, under keyed names nobody can be found by"),
        .none(
            "search_uses", "words of the company's things; they go when the thing goes or says something else"
        ),
        .none(
            "search_words", "words of the company's things; one that nothing uses any more goes within a day"),
        .none("search_variants", "the same words with one letter left out"),
        .none("search_fills", "how far a company's things have been put into the search"),
        .none("search_upkeep", "when a company's dictionary is next looked through"),
        PersonalData(
            "operators", "That somebody runs the installation", of: .user("user_id"),
            erase: .keep("Operators are dismissed on the command line first.")),
    ]
}
