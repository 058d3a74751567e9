/// A validator of a representation (RFC 9110 section 8.8.3).
public struct EntityTag: Hashable, Sendable {
    public let opaque: String
    public let isWeak: Bool

    /// `opaque` stands between the quotes: visible characters, no quote.
    public init(_ opaque: String, isWeak: Bool = false) {
        precondition(opaque.utf8.allSatisfy(Self.isOpaqueByte), "an entity tag holds a character it must not")
        self.opaque = opaque
        self.isWeak = isWeak
    }

    public init(version: Int64) { self.init(String(version)) }

    public init?(parsing text: some StringProtocol) {
        let tag = text.reading { reader in Self.read(&reader).flatMap { reader.atEnd ? $0 : nil } }
        guard let tag else { return nil }
        self = tag
    }

    /// The tag of the gzip form: two forms of one strong tag may not differ by a byte, so it gets a name of its own.
    public var gzipped: EntityTag { isWeak ? self : EntityTag(opaque + Self.gzipEnding) }

    /// The tag as the resource gave it: the ending of `gzipped` taken away, so that a client may send either back.
    public var original: EntityTag {
        opaque.hasSuffix(Self.gzipEnding)
            ? EntityTag(String(opaque.dropLast(Self.gzipEnding.count)), isWeak: isWeak) : self
    }

    public func matchesStrongly(_ other: EntityTag) -> Bool {
        !isWeak && !other.isWeak && opaque == other.opaque
    }
    public func matchesWeakly(_ other: EntityTag) -> Bool { opaque == other.opaque }

    private static let gzipEnding = "-gzip"

    fileprivate static func isOpaqueByte(_ byte: UInt8) -> Bool {
        byte == 0x21 || (byte >= 0x23 && byte != 0x7F)
    }

    fileprivate static func read(_ reader: inout FieldReader) -> EntityTag? {
        let isWeak = reader.take(UInt8(ascii: "W"))
        if isWeak, !reader.take(UInt8(ascii: "/")) { return nil }
        guard reader.take(UInt8(ascii: "\"")) else { return nil }
        let opaque = reader.take(while: isOpaqueByte)
        guard reader.take(UInt8(ascii: "\"")), let text = String(validating: opaque, as: UTF8.self) else {
            return nil
        }
        return EntityTag(text, isWeak: isWeak)
    }
}

extension EntityTag: CustomStringConvertible {
    public var description: String { (isWeak ? "W/\"" : "\"") + opaque + "\"" }
}

/// The value of If-Match or If-None-Match.
public enum EntityTagCondition: Equatable, Sendable {
    /// `*`: any representation that exists.
    case any
    case tags([EntityTag])

    /// Nil when the field does not follow the grammar; the caller's mistake, to be answered with 400.
    public init?(_ field: some StringProtocol) {
        let condition: EntityTagCondition? = field.reading { reader in
            reader.skipSpace()
            if reader.take(UInt8(ascii: "*")) {
                reader.skipSpace()
                return reader.atEnd ? .any : nil
            }
            var tags: [EntityTag] = []
            while true {
                reader.skipSpace()
                if reader.take(UInt8(ascii: ",")) { continue }
                if reader.atEnd { break }
                guard tags.count < CodecLimits.entityTags, let tag = EntityTag.read(&reader) else {
                    return nil
                }
                tags.append(tag)
                reader.skipSpace()
                guard reader.atEnd || reader.next == UInt8(ascii: ",") else { return nil }
            }
            return tags.isEmpty ? nil : .tags(tags)
        }
        guard let condition else { return nil }
        self = condition
    }

    /// If-Match: true lets the change go on; `current` is nil when there is nothing yet.
    public func allowsChange(of current: EntityTag?) -> Bool {
        guard let current else { return false }
        switch self {
        case .any: return true
        case .tags(let tags): return tags.contains { $0.original.matchesStrongly(current) }
        }
    }

    /// If-None-Match: true means the client has it already (304 to a read, 412 to a change).
    public func holds(_ current: EntityTag?) -> Bool {
        guard let current else { return false }
        switch self {
        case .any: return true
        case .tags(let tags): return tags.contains { $0.original.matchesWeakly(current) }
        }
    }
}
