import Synchronization
import Wire

/// Which permissions members have really used since it was last asked, kept in memory for whoever writes it down.
///
/// A credential that is known notes each permission once; after that a use costs a glance at a set nobody contends for.
public final class PermissionUses: Sendable {
    public struct Member: Hashable, Sendable {
        public let company: UUID
        public let member: UUID

        public init(company: UUID, member: UUID) {
            self.company = company
            self.member = member
        }
    }

    private let noted = Mutex<[Member: PermissionSet]>([:])

    /// Nobody has asked for so long that something is wrong: what comes now is not noted.
    private static let membersMax = 100_000

    public init() {}

    /// Whoever works in another's name shows nothing of what that person needs.
    static func note(_ permission: Permission, by principal: Principal) {
        guard let standing = principal.standing, let uses = standing.uses,
            standing.isFirstUse(of: permission),
            !principal.isImpersonated, let company = principal.companyId, let member = principal.memberId
        else { return }
        uses.noted.withLock { noted in
            let key = Member(company: company, member: member)
            guard noted.count < membersMax || noted[key] != nil else { return }
            noted[key, default: PermissionSet()].insert(permission)
        }
    }

    /// What was noted since the last time.
    public func take() -> [Member: PermissionSet] {
        noted.withLock { noted in
            let taken = noted
            noted.removeAll(keepingCapacity: true)
            return taken
        }
    }
}
