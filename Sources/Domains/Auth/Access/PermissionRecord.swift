import API
import Core
import Loop
import Postgres
import Synchronization
import Wire

/// Writes down which permissions people use: on which day first and last, and on how many. No request waits for it; the
/// database hears of each permission of a member once a day from each instance.
final class PermissionRecord: Sendable {
    private struct Written {
        var day: LocalDate
        var uses: [PermissionUses.Member: PermissionSet] = [:]
    }

    private let db: Database
    private let uses: PermissionUses
    private let written = Mutex(Written(day: LocalDate(daysSince1970: 0)))

    static let writeEvery: Duration = .seconds(2)

    init(_ db: Database, uses: PermissionUses) {
        self.db = db
        self.uses = uses
    }

    /// Goes on until the task is cancelled.
    func start(on loop: EventLoop) -> Task<Void, Never> {
        loop.task { [self] in
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.writeEvery)
                await write(at: .now)
            }
        }
    }

    /// What cannot be written is forgotten: the next use by a credential read anew notes it again, within a minute.
    func write(at now: Timestamp) async {
        let fresh = unwritten(uses.take(), on: now.day)
        let companies = Dictionary(grouping: fresh, by: \.key.company)
        for (company, members) in companies {
            let pairs = members.flatMap { member in member.value.names.map { (member.key.member, $0) } }
            do {
                _ = try await db.query(
                    Self.sql(company, pairs, now.day), as: Tenant(company: company))
                written.withLock { written in
                    for (member, set) in members {
                        written.uses[member] = (written.uses[member] ?? PermissionSet()).union(set)
                    }
                }
            } catch {
                // Noted again by itself; a company that is just being purged needs it no more.
            }
        }
    }

    private func unwritten(_ uses: [PermissionUses.Member: PermissionSet], on day: LocalDate)
        -> [PermissionUses.Member: PermissionSet]
    {
        written.withLock { written in
            if written.day != day { written = Written(day: day) }
            return uses.reduce(into: [:]) { fresh, use in
                let set = use.value.subtracting(written.uses[use.key] ?? PermissionSet())
                if !set.isEmpty { fresh[use.key] = set }
            }
        }
    }

    private static func sql(_ company: UUID, _ pairs: [(UUID, String)], _ day: LocalDate) -> SQL {
        """
        INSERT INTO permission_uses AS known (company_id, member_id, permission, first_on, last_on)
        SELECT \(company)::uuid, member_id, permission, \(day)::date, \(day)::date
          FROM unnest(\(pairs.map(\.0))::uuid[], \(pairs.map(\.1))::text[]) AS used (member_id, permission)
        ON CONFLICT (company_id, member_id, permission) DO UPDATE
           SET last_on = excluded.last_on, days = known.days + 1
         WHERE known.last_on < excluded.last_on
        """
    }
}

extension Timestamp {
    /// The day it is in UTC.
    fileprivate var day: LocalDate { LocalDate(daysSince1970: Int(seconds / 86_400)) }
}
