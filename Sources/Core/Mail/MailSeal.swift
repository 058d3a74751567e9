import Crypto
import Postgres
import Synchronization
import Wire

/// Keeps the values of queued mails from whoever reads the database: links and codes in them open accounts.
///
/// Mails are queued by statements that anybody may send along with others, so the keys are the process's.
public enum MailSeal {
    private static let ring = Mutex<KeyRing?>(nil)

    /// Called once at the start; until then values stand in the clear.
    public static func use(_ keys: KeyRing) { ring.withLock { $0 = keys } }

    static func stored(_ context: [String: String], of id: UUID) -> JSON {
        var object = JSON.Object()
        for (key, value) in context.sorted(by: { $0.key < $1.key }) { object[key] = .string(value) }
        guard let ring = ring.withLock({ $0 }) else { return .object(object) }
        let sealed = ring.seal(Array(JSON.object(object).description.utf8), context: bound(id.description))
        return ["sealed": .string(Base64.encode(sealed))]
    }

    /// The values of a queued mail as they were given.
    public static func values(_ stored: JSON, of id: UUID) throws -> [String: String] {
        var object = stored.objectValue
        if let text = stored["sealed"]?.stringValue, let sealed = Base64.decode(text) {
            guard let ring = ring.withLock({ $0 }) else { throw KeyRing.Failure.notAuthentic }
            object = try JSON.parse(ring.open(sealed, context: bound(id.description))).objectValue
        }
        var values: [String: String] = [:]
        for (key, value) in object?.members ?? [] { values[key] = value.stringValue }
        return values
    }

    private static func bound(_ id: String) -> String { "mail \(id)" }

    static let column = SealedColumn(
        "mail_queue", "context", key: "id", isTenants: false,
        read: { "decode(context->>'sealed', 'base64')" },
        write: { "jsonb_build_object('sealed', \(Base64.encode($0))::text)" }, context: bound)
}
