import API
import Postgres
import Wire

/// The port by which jobs keep what they made as files, and domains say which files they use.
public struct FileKeeping: Sendable {
    /// A file about to be made.
    public struct Draft: Sendable {
        public var name: String
        public var company: UUID
        /// A word for what it is: `export`, `report`.
        public var purpose: String
        public var actor: Audit.Actor
        /// Nil keeps it until somebody deletes it.
        public var keptFor: Duration?

        public init(
            name: String, company: UUID, purpose: String, by actor: Audit.Actor, keptFor: Duration? = nil
        ) {
            self.name = name
            self.company = company
            self.purpose = purpose
            self.actor = actor
            self.keptFor = keptFor
        }
    }

    /// Takes the bytes of a file, in order.
    public protocol Sink: Sendable {
        func write(_ bytes: [UInt8]) async throws
    }

    public struct Kept: Sendable {
        public let id: UUID
        public let sizeBytes: Int
        public let sha256: [UInt8]
        /// Opens the file without an account until `linkExpiresAt`.
        public let url: String
        public let linkExpiresAt: Timestamp

        public init(id: UUID, sizeBytes: Int, sha256: [UInt8], url: String, linkExpiresAt: Timestamp) {
            self.id = id
            self.sizeBytes = sizeBytes
            self.sha256 = sha256
            self.url = url
            self.linkExpiresAt = linkExpiresAt
        }
    }

    /// Makes a file of what `produce` writes. It takes room of the company's like any other. When `produce` throws, or
    /// there is no room, nothing is left behind.
    public let keep:
        @Sendable (_ draft: Draft, _ produce: @Sendable (any Sink) async throws -> Void) async throws -> Kept

    /// Hands the bytes of a file to `take`, a piece after the other; false when there is no such file, or none that may be
    /// read.
    public let read:
        @Sendable (_ file: UUID, _ company: UUID, _ take: ([UInt8]) async throws -> Void) async throws -> Bool

    /// A new link to a file, good for so long; nil when there is no such file, or none that may be downloaded.
    public let link: @Sendable (_ file: UUID, _ company: UUID, _ life: Duration) async throws -> String?

    /// Says that something uses a file, which then cannot be deleted. Throws a problem for a file that is not there or
    /// not ready. What is attached to a `company_logo` or a `user_avatar` can be seen by everybody under `publicLink`.
    public let attach:
        @Sendable (_ file: UUID, _ subject: (type: String, id: UUID), _ company: UUID, _ tx: Transaction)
            async throws ->
            AttachedFile

    /// Says that nothing of this subject's is used any more.
    public let detach:
        @Sendable (_ subject: (type: String, id: UUID), _ company: UUID, _ tx: Transaction) async throws ->
            Void

    /// The address under which a file can be seen by everybody while it is attached in public.
    public let publicLink: @Sendable (_ file: UUID, _ company: UUID) -> String

    /// Whose file a `publicLink` leads to; nil for any other address.
    public let companyOfLink: @Sendable (_ url: String) -> UUID?

    public init(
        keep: @escaping @Sendable (Draft, @Sendable (any Sink) async throws -> Void) async throws -> Kept,
        read: @escaping @Sendable (UUID, UUID, ([UInt8]) async throws -> Void) async throws -> Bool,
        link: @escaping @Sendable (UUID, UUID, Duration) async throws -> String?,
        attach:
            @escaping @Sendable (UUID, (type: String, id: UUID), UUID, Transaction) async throws ->
            AttachedFile,
        detach: @escaping @Sendable ((type: String, id: UUID), UUID, Transaction) async throws -> Void,
        publicLink: @escaping @Sendable (UUID, UUID) -> String,
        companyOfLink: @escaping @Sendable (String) -> UUID?
    ) {
        self.keep = keep
        self.read = read
        self.link = link
        self.attach = attach
        self.detach = detach
        self.publicLink = publicLink
        self.companyOfLink = companyOfLink
    }
}

/// What a domain needs to know of a file it is about to use.
public struct AttachedFile: Sendable {
    public let type: String
    public let sizeBytes: Int
    /// It can be shown in a page: a picture of pixels, not of code.
    public let isPicture: Bool

    public init(type: String, sizeBytes: Int, isPicture: Bool) {
        self.type = type
        self.sizeBytes = sizeBytes
        self.isPicture = isPicture
    }
}
