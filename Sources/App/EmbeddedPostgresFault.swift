/// Why the embedded database does not run: one sentence with the cause and what mends it.
public struct EmbeddedPostgresFault: Error, CustomStringConvertible {
    public enum Kind: Sendable { case notInstalled, wrongVersion, unwritable, inUse, failed }

    public let kind: Kind
    public let description: String

    init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
