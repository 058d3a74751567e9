import Wire

/// Where an object lies in the storage: made of two identifiers and nothing a caller ever wrote, so no name can lead
/// out of it.
public struct StorageKey: Hashable, Sendable {
    public let company: UUID
    public let id: UUID

    public init(company: UUID, id: UUID) {
        self.company = company
        self.id = id
    }

    /// `company/7f/id`: the last two digits are random and keep folders small.
    public var path: String {
        let name = id.description
        return "\(company)/\(name.suffix(2))/\(name)"
    }

    /// Nil for what was not written by us.
    public init?(path: some StringProtocol) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, let company = UUID(String(parts[0])), let id = UUID(String(parts[2])) else {
            return nil
        }
        self.init(company: company, id: id)
        guard self.path == path else { return nil }
    }
}
