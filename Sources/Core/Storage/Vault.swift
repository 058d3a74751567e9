import Crypto
import HTTP
import Wire

/// A place in the storage for what must not stand among a company's files: copies of personal data and of the record of
/// changes. Nothing here is listed or counted; what is kept is opened by a signed link alone, until it is taken away.
public struct Vault: Sendable {
    /// No company has this id, so the sweep of the companies' files leaves it alone.
    private static let place = UUID("76617561-6c74-4000-8000-000000000000")!

    /// What a link opens, for how long, and how it is called.
    public struct Link: Codable, Sendable {
        public let id: UUID
        public let name: String
        public let bytes: Int
        public let expiresAt: Timestamp
    }

    private let storage: any Storage
    private let keys: [HMACKey]
    private let base: String

    public init(_ storage: any Storage, _ ring: KeyRing, publicURL: String) {
        self.storage = storage
        keys = ring.deriveAll("vault links").map { HMACKey($0) }
        base = publicURL
    }

    public func write(_ id: UUID) async throws -> any StorageWriter { try await storage.write(key(id)) }

    public func delete(_ ids: [UUID]) async throws { try await storage.delete(ids.map { key($0) }) }

    /// Nil when it is not there any more.
    public func body(_ link: Link) async throws -> StorageBody? {
        guard try await storage.length(of: key(link.id)) == link.bytes else { return nil }
        return try await storage.body(key(link.id), length: link.bytes, range: nil)
    }

    public func url(_ link: Link) throws -> String {
        let out = ByteWriter(capacity: 256)
        try out.writeJSON(link)
        let payload = out.array
        return
            "\(base)/v1/public/exports/\(Base64.encode(payload, .url)).\(Base64.encode(keys[0].authenticate(payload), .url))"
    }

    /// Nil for what was not made here. Whether it has expired is for the caller to see.
    public func open(_ token: String) -> Link? {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard token.utf8.count < 1000, parts.count == 2, let payload = Base64.decode(parts[0], .url),
            let code = Base64.decode(parts[1], .url), keys.contains(where: { $0.isValid(code, for: payload) })
        else { return nil }
        return try? JSON.parse(payload).decode(Link.self)
    }

    private func key(_ id: UUID) -> StorageKey { StorageKey(company: Self.place, id: id) }
}

extension Vault.Link {
    public init(_ id: UUID, name: String, bytes: Int, expiresAt: Timestamp) {
        self.init(id: id, name: name, bytes: bytes, expiresAt: expiresAt)
    }
}
