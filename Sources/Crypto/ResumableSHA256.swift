import COpenSSL

/// SHA-256 over bytes that come in pieces, whose state can be kept and taken up again: later, or by another process.
public struct ResumableSHA256: Sendable {
    private var context = SHA256_CTX()

    public init() { SHA256_Init(&context) }

    /// Nil for what is no state that this type gave.
    public init?(state: [UInt8]) {
        guard state.count == MemoryLayout<SHA256_CTX>.size else { return nil }
        withUnsafeMutableBytes(of: &context) { $0.copyBytes(from: state) }
        guard context.md_len == 32, context.num < 64 else { return nil }
    }

    /// Eight words of the digest so far, the length, what is not yet a block: as they lie in memory, least significant
    /// byte first on every machine this runs on.
    public var state: [UInt8] { withUnsafeBytes(of: context) { [UInt8]($0) } }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        SHA256_Update(&context, bytes.baseAddress, bytes.count)
    }

    public mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

    /// Of all that was given so far; more may follow.
    public var digest: [UInt8] {
        var copy = context
        var bytes = [UInt8](repeating: 0, count: 32)
        SHA256_Final(&bytes, &copy)
        return bytes
    }
}
