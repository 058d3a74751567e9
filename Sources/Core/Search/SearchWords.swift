/// The words of texts and queries.
enum SearchWords {
    /// The words of a text in their order, folded, parted at whatever is neither letter nor digit; at most `limit`.
    static func split(_ text: some StringProtocol, limit: Int = .max) -> [String] {
        var words: [String] = []
        var word = ""
        var letters = 0
        for scalar in text.unicodeScalars {
            guard let folded = WordFolding.folded(scalar) else {
                if letters > 0 {
                    words.append(word)
                    if words.count == limit { return words }
                    word = ""
                    letters = 0
                }
                continue
            }
            if letters < SearchLimits.lettersMax, !folded.isEmpty {
                word += folded
                letters += 1
            }
        }
        if letters > 0 { words.append(word) }
        return words
    }

    /// A word with each of its letters left out in turn; none when no slip is forgiven in it.
    static func variants(of word: String) -> [String] {
        let letters = Array(word.unicodeScalars)
        guard forgivesSlips(letters) else { return [] }
        return unique(shortened(letters))
    }

    /// Also with two of them left out, where the word is long enough.
    static func variantsOfQuery(_ word: String) -> [String] {
        let letters = Array(word.unicodeScalars)
        guard forgivesSlips(letters) else { return [] }
        let once = shortened(letters)
        guard letters.count >= SearchLimits.twoSlipsLettersMin else { return unique(once) }
        return unique(once + once.flatMap(shortened))
    }

    private static func forgivesSlips(_ letters: [Unicode.Scalar]) -> Bool {
        SearchLimits.slipLettersMin...SearchLimits.slipLettersMax ~= letters.count
            && !letters.contains { "0"..."9" ~= $0 }
    }

    private static func shortened(_ letters: [Unicode.Scalar]) -> [[Unicode.Scalar]] {
        letters.indices.map { Array(letters[..<$0] + letters[($0 + 1)...]) }
    }

    private static func unique(_ words: [[Unicode.Scalar]]) -> [String] {
        Set(
            words.map { letters in
                var text = String.UnicodeScalarView()
                text.append(contentsOf: letters)
                return String(text)
            }
        ).sorted()
    }

    /// A telephone number as it is kept: whole, and without each code of a country it could begin with, so that it is
    /// found as it is dialled at home.
    static func ofPhone(_ text: some StringProtocol) -> [String] {
        let digits = significantDigits(text)
        return (0...3).map { String(digits.dropFirst($0)) }.filter {
            $0.utf8.count >= SearchLimits.phoneDigitsMin
        }
    }

    /// The number that a query means, when it is nothing but a telephone number.
    static func phone(inQuery q: String) -> String? {
        guard q.utf8.allSatisfy({ "0123456789 +-/().".utf8.contains($0) }) else { return nil }
        let digits = significantDigits(q)
        return digits.utf8.count >= SearchLimits.phoneDigitsMin ? digits : nil
    }

    /// Without the zeros that only say how far away one dials.
    private static func significantDigits(_ text: some StringProtocol) -> String {
        let digits = text.unicodeScalars.filter { "0"..."9" ~= $0 }.drop { $0 == "0" }
        return String(String.UnicodeScalarView(digits.prefix(SearchLimits.lettersMax)))
    }
}
