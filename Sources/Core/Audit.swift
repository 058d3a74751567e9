import Postgres
import Wire

/// The record of who did what in a company, written in the transaction of the act itself.
public enum Audit {
    /// Who acts, and from where.
    public struct Actor: Sendable {
        public enum Kind: String, SQLBindable, Sendable {
            case user
            case apiKey = "api_key"
            case system
        }

        public var kind: Kind
        public var id: UUID?
        /// The person behind the act when somebody acts in another's name.
        public var behind: UUID?
        public var address: String?
        public var requestId: String?

        public init(
            _ kind: Kind, id: UUID?, behind: UUID? = nil, address: String? = nil, requestId: String? = nil
        ) {
            self.kind = kind
            self.id = id
            self.behind = behind
            self.address = address
            self.requestId = requestId
        }

        /// The program itself, in its own time.
        public static let system = Actor(.system, id: nil)
    }

    /// The company that is nobody's: under its id stands what operators change for the whole installation. Such acts are
    /// written as its tenant.
    public static let installation = UUID.zero

    /// One act: `member.suspended` on a member. `before` and `after` hold the fields that changed and nothing else.
    public struct Entry: Sendable {
        public var action: String
        public var targetType: String
        public var target: UUID?
        public var before: JSON?
        public var after: JSON?

        public init(
            _ action: String, on targetType: String, _ target: UUID?, before: JSON? = nil, after: JSON? = nil
        ) {
            self.action = action
            self.targetType = targetType
            self.target = target
            self.before = before
            self.after = after
        }
    }

    public static func record(_ entry: Entry, by actor: Actor, company: UUID, in tx: Transaction) async throws
    {
        _ = try await tx.query(sql(entry, by: actor, company: company))
    }

    /// The same as one statement, to send along with others. The act waits for its seal from here on.
    public static func sql(_ entry: Entry, by actor: Actor, company: UUID) -> SQL {
        let id = UUID.v7()
        return """
            WITH act AS (
                INSERT INTO audit_log (company_id, id, actor_kind, actor_id, behind_id, action, target_type, target_id,
                                       before, after, address, request_id)
                VALUES (\(company), \(id), \(actor.kind), \(actor.id), \(actor.behind), \(entry.action),
                        \(entry.targetType), \(entry.target), \(entry.before.map(JSONText.init)),
                        \(entry.after.map(JSONText.init)), \(actor.address), \(actor.requestId)))
            INSERT INTO audit_unsealed (audit_id, company_id) VALUES (\(id), \(company))
            """
    }

    /// The members of `before` and `after` that differ, so that a log line says what changed and not all there is.
    public static func changed(_ before: JSON, _ after: JSON) -> (before: JSON, after: JSON) {
        var old = JSON.Object()
        var new = JSON.Object()
        for (key, value) in after.objectValue?.members ?? [] where before[key] ?? .null != value {
            old[key] = before[key] ?? .null
            new[key] = value
        }
        return (.object(old), .object(new))
    }
}

extension JSONText {
    public init(_ json: JSON) { self.init(json.description) }
}
