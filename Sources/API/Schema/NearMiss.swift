import Wire

/// The name somebody probably meant.
public enum NearMiss {
    /// The closest of `names`, when it is close: a slip or two of the keyboard, or other capitals.
    public static func of(_ name: String, among names: some Sequence<String>) -> String? {
        guard name.utf8.count <= nameLengthMax else { return nil }
        let wanted = Array(name.lowercased().utf8).filter {
            $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: "-")
        }
        let allowed = max(1, min(2, wanted.count / 3))
        var best: (distance: Int, name: String)?
        for candidate in names {
            let letters = Array(candidate.lowercased().utf8).filter {
                $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: "-")
            }
            guard abs(letters.count - wanted.count) <= allowed else { continue }
            let distance = EditDistance.between(wanted, letters)
            if distance <= allowed, distance < best?.distance ?? .max { best = (distance, candidate) }
        }
        return best?.name
    }

    /// Words that end a sentence about an unknown name: `; perhaps status was meant`, or nothing.
    public static func hint(_ name: String, among names: some Sequence<String>) -> String {
        of(name, among: names).map { "; perhaps \($0) was meant" } ?? ""
    }

    private static let nameLengthMax = 64
}
