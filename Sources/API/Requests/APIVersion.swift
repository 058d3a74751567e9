import HTTP

/// `Infinity-Version`: a client may pin the day whose behaviour it was written for; without it, it gets today's.
enum APIVersion {
    /// The days on which something changed that a client could notice; the first is the only one so far.
    static let known = ["2026-11-01"]

    static func check(_ request: Request) throws(Problem) {
        guard let version = request.header("infinity-version"), !known.contains(version) else { return }
        throw Problem(.unknownVersion, "Known are \(known.joined(separator: ", ")).")
    }
}
