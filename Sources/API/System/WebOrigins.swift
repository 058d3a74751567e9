import Synchronization
import Wire

/// The origins of web pages that companies let call the API, held in memory: no request asks the database for them.
public final class WebOrigins: Sendable {
    private let companies = Mutex<[String: Set<UUID>]>([:])

    public init() {}

    public func replace(_ origins: [String: Set<UUID>]) { companies.withLock { $0 = origins } }

    /// Whether this company lets pages of the origin call; before it is known which, whether any does.
    func allow(_ origin: String, for company: UUID?) -> Bool {
        companies.withLock { companies in
            guard let allowing = companies[origin] else { return false }
            return company.map(allowing.contains) ?? true
        }
    }
}
