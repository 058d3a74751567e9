import Wire

/// Finds the word somebody probably meant.
public enum NearMiss {
    /// The closest of the words, unless even that one is too far off to be a slip of the fingers.
    public static func of(_ word: String, among words: [String]) -> String? {
        let limit = max(2, word.utf8.count / 4)
        let letters = Array(word.utf8)
        return words.map { (distance: EditDistance.between(letters, Array($0.utf8)), word: $0) }
            .filter { $0.distance <= limit }
            .min { $0.distance < $1.distance }?.word
    }
}
