import Core
import Logging
import Postgres
import Wire

/// Compares the storage with the rows: objects nobody speaks of are removed once they are a day old, rows whose object is
/// not there are marked and told.
///
/// An object of a company that this database does not know is left alone: the bucket may be another installation's too.
enum OrphanSweep {
    static let worker = Worker.single("storage-sweep", every: .seconds(6 * 3600)) { work in
        try await round(work.environment[FileParts.self], work.database, before: .now - .seconds(FileLimits.orphanSeconds))
        return .idle
    }

    /// - Parameter limit: objects changed later may belong to what is still under way.
    static func round(_ parts: FileParts, _ database: Database, before limit: Timestamp) async throws {
        var companies: Set<UUID> = []
        try await parts.storage.list { objects in
            let old = objects.filter { $0.changedAt < limit }
            for (company, group) in Dictionary(grouping: old, by: \.key.company) {
                companies.insert(company)
                try await removeOrphans(group.map(\.key), company, parts, database)
            }
        }
        try await parts.storage.listUnfinished { objects in
            for object in objects where object.begunAt < limit {
                try await removeUnfinished(object, parts, database)
            }
        }
        var missing = 0
        for company in companies { missing += try await markMissing(company, parts, database) }
        parts.figures.objectsMissing.store(missing, ordering: .relaxed)
        if missing > 0 { parts.log.error("rows without an object", metadata: ["count": "\(missing)"]) }
    }

    private static func removeOrphans(
        _ keys: [StorageKey], _ company: UUID, _ parts: FileParts, _ database: Database
    ) async throws {
        let answers = try await database.batch(
            [
                "SELECT 1 FROM companies WHERE id = \(company)",
                """
                SELECT object_id FROM file_blobs WHERE company_id = \(company) AND object_id = ANY(\(keys.map(\.id)))
                UNION ALL
                SELECT object_id FROM uploads
                 WHERE company_id = \(company) AND state = 'open' AND object_id = ANY(\(keys.map(\.id)))
                """,
            ], as: Tenant(company: company, user: nil))
        guard !answers[0].isEmpty else { return }
        let spokenOf = Set(try answers[1].map { try $0.get("object_id", as: UUID.self) })
        let orphans = keys.filter { !spokenOf.contains($0.id) }
        if orphans.isEmpty { return }
        try await parts.storage.delete(orphans)
        parts.figures.orphansRemoved.count(orphans.count)
        parts.log.notice("objects without a row were removed", metadata: ["company": "\(company)", "count": "\(orphans.count)"])
    }

    private static func removeUnfinished(
        _ object: UnfinishedObject, _ parts: FileParts, _ database: Database
    ) async throws {
        let company = object.key.company
        let answers = try await database.batch(
            [
                "SELECT 1 FROM companies WHERE id = \(company)",
                "SELECT 1 FROM uploads WHERE company_id = \(company) AND state = 'open' AND object_id = \(object.key.id)",
            ], as: Tenant(company: company, user: nil))
        guard !answers[0].isEmpty, answers[1].isEmpty else { return }
        try await parts.storage.abandon(object.key, object.state)
        parts.figures.orphansRemoved.count()
    }

    /// Looks for the object of each row of the company's; gives how many are not there.
    private static func markMissing(_ company: UUID, _ parts: FileParts, _ database: Database) async throws -> Int {
        let tenant = Tenant(company: company, user: nil)
        var last = UUID.zero
        var missing = 0
        while true {
            let rows = try await database.query(
                """
                SELECT id, object_id FROM file_blobs WHERE company_id = \(company) AND id > \(last)
                 ORDER BY id LIMIT \(FileLimits.sweptAtOnce)
                """, as: tenant)
            var lost: [UUID] = []
            for row in rows {
                last = try row.get("id")
                let key = StorageKey(company: company, id: try row.get("object_id"))
                if try await parts.storage.length(of: key) == nil { lost.append(last) }
            }
            missing += lost.count
            if !lost.isEmpty {
                _ = try await database.query(
                    """
                    UPDATE file_blobs SET missing_since = coalesce(missing_since, now())
                     WHERE company_id = \(company) AND id = ANY(\(lost))
                    """, as: tenant)
            }
            if rows.count < FileLimits.sweptAtOnce { return missing }
        }
    }
}
