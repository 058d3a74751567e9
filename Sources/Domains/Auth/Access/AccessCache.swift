import API
import Core
import Crypto
import Wire

/// What one loop remembers of the credentials it has seen: whose they are and what they allow.
///
/// For its loop's thread alone. Before each look it catches up on the news, so what has changed is never given out.
// @unchecked Sendable: handed to its loop once and touched on that loop's thread only.
final class AccessCache: @unchecked Sendable {
    struct Entry {
        let principal: Principal
        /// Addresses it may be used from; none means any.
        let addresses: [AddressRange]
        /// The credential itself ends then, or what is known of it must be read anew.
        let goodUntil: Timestamp
    }

    private let news: AccessNews
    private var entries: [SHA256.Digest: Entry] = [:]
    private var seen: Int
    private let hasher = SHA256.Hasher()

    /// Some hundred bytes each: a few megabytes a loop at most.
    private static let entriesMax = 10_000

    init(news: AccessNews) {
        self.news = news
        seen = news.version
    }

    func digest(_ credential: UnsafeRawBufferPointer) -> SHA256.Digest { hasher.digest(credential) }

    func entry(_ digest: SHA256.Digest, at now: Timestamp) -> Entry? {
        if news.version != seen { catchUp() }
        guard let entry = entries[digest] else { return nil }
        guard now < entry.goodUntil else {
            entries[digest] = nil
            return nil
        }
        return entry
    }

    /// Keeps what was read from the database after `version` of the news, unless it has changed since.
    func keep(_ entry: Entry, _ digest: SHA256.Digest, asOf version: Int, at now: Timestamp) {
        let (changes, current) = news.since(version)
        guard let changes, !changes.contains(where: { $0.concerns(entry.principal) }) else { return }
        if seen != current { catchUp() }
        if entries.count >= Self.entriesMax { makeRoom(now) }
        entries[digest] = entry
    }

    private func catchUp() {
        let (changes, version) = news.since(seen)
        seen = version
        guard let changes else {
            entries.removeAll(keepingCapacity: true)
            return
        }
        let users = Set(changes.compactMap { $0.company == nil ? $0.user : nil })
        let companies = Set(changes.compactMap { $0.user == nil ? $0.company : nil })
        let pairs = Set(changes.filter { $0.user != nil && $0.company != nil })
        entries = entries.filter { _, entry in
            let principal = entry.principal
            let people = [principal.userId, principal.impersonatorId].compactMap { $0 }
            if people.contains(where: users.contains) { return false }
            guard let company = principal.companyId else { return true }
            return !companies.contains(company)
                && !people.contains { pairs.contains(AccessChange(user: $0, company: company)) }
        }
    }

    private func makeRoom(_ now: Timestamp) {
        entries = entries.filter { now < $0.value.goodUntil }
        if entries.count >= Self.entriesMax { entries.removeAll(keepingCapacity: true) }
    }
}

extension AccessChange {
    fileprivate func concerns(_ principal: Principal) -> Bool {
        (user == nil || user == principal.userId || user == principal.impersonatorId)
            && (company == nil || company == principal.companyId)
    }
}
