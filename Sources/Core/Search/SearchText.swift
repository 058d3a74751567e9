/// What a thing is found by: its title, what else it says, and its telephone numbers. E-mail addresses and keys like
/// `WEB-142` are titles or bodies as any other text: they are found whole and by their parts.
public struct SearchText: Sendable {
    /// Each word once, with the weight of its best place.
    let words: [String: Int]

    /// - Parameters:
    ///   - title: names, keys, addresses: a find in them ranks above others.
    ///   - body: all else; of a long text the first `SearchLimits.wordsMax` different words count.
    public init(title: [String?], body: [String?] = [], phones: [String?] = []) {
        var words: [String: Int] = [:]
        func add(_ word: String, _ weight: Int) {
            if words.count < SearchLimits.wordsMax { words[word] = words[word] ?? weight }
        }
        for text in title { SearchWords.split(text ?? "").forEach { add($0, Self.titleWeight) } }
        for text in phones { SearchWords.ofPhone(text ?? "").forEach { add($0, Self.titleWeight) } }
        for text in body { SearchWords.split(text ?? "").forEach { add($0, Self.bodyWeight) } }
        self.words = words
    }

    private static let titleWeight = 2
    private static let bodyWeight = 1
}
