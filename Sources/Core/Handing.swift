import Postgres
import Wire

/// Something that hangs on a member and can perhaps be given to another when he goes. Each domain declares its own.
public struct HandoverPart: Sendable {
    public struct Holder: Sendable {
        public let company: UUID
        public let member: UUID
        public let user: UUID

        public init(company: UUID, member: UUID, user: UUID) {
            self.company = company
            self.member = member
            self.user = user
        }
    }

    /// `led_teams`: how it is called in the answer.
    public let kind: String
    /// What becomes of it, for whoever decides.
    public let note: String
    /// One row with the column `count`.
    public let count: @Sendable (Holder) -> SQL
    /// Gives it to the second; nil when it cannot be given.
    public let move: (@Sendable (_ from: Holder, _ to: Holder) -> [SQL])?

    public init(
        _ kind: String, _ note: String, count: @escaping @Sendable (Holder) -> SQL,
        move: (@Sendable (Holder, Holder) -> [SQL])? = nil
    ) {
        self.kind = kind
        self.note = note
        self.count = count
        self.move = move
    }
}

/// The parts of all domains, in the order they are moved.
public struct HandoverParts: Sendable {
    public let all: [HandoverPart]
    public init(_ all: [HandoverPart]) { self.all = all }
}
