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
        try await round(
            work.environment[FileParts.self], work.database, before: .now - .seconds(FileLimits.orphanSeconds)
        )
        return .idle
    }

    /// - Parameter limit: objects changed later may belong to what is still under way.
    static func round(_ parts: FileParts, _ database: Database, before limit: Timestamp) async throws {
        var (there, seen, missing) = (There(), Set<UUID>(), 0)
        try await parts.storage.list { objects in
            for (company, group) in Dictionary(
                grouping: objects.filter { $0.changedAt < limit }, by: \.key.company)
            {
                try await removeOrphans(group.map(\.key), company, parts, database)
            }
            for object in objects {
                if object.key.company != there.company {
                    missing += try await compare(there, parts, database, before: limit)
                    there = There(company: object.key.company)
                    seen.insert(object.key.company)
                }
                there.ids.insert(object.key.id)
            }
        }
        missing += try await compare(there, parts, database, before: limit)
        for company in try await companies(database) where !seen.contains(company) {
            missing += try await compare(There(company: company), parts, database, before: limit)
        }
        try await parts.storage.listUnfinished { objects in
            for object in objects where object.begunAt < limit {
                try await removeUnfinished(object, parts, database)
            }
        }
        parts.figures.objectsMissing.store(missing, ordering: .relaxed)
        if missing > 0 { parts.log.error("rows without an object", metadata: ["count": "\(missing)"]) }
    }

    /// The objects of one company that the storage has: 32 bytes of memory for each.
    private struct There {
        var company: UUID?
        var ids: Set<UUID> = []
    }

    /// All there are, also those whose objects are all gone.
    private static func companies(_ database: Database) async throws -> [UUID] {
        try await database.query("SELECT company_id FROM company_upkeep").map { try $0.get(0) }
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
        parts.log.notice(
            "objects without a row were removed",
            metadata: ["company": "\(company)", "count": "\(orphans.count)"])
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

    /// Compares a company's rows with what was listed of it; gives how many have no object. Marks them, and takes the
    /// mark from those whose object is back.
    private static func compare(
        _ there: There, _ parts: FileParts, _ database: Database, before limit: Timestamp
    ) async throws -> Int {
        guard let company = there.company else { return 0 }
        let tenant = Tenant(company: company, user: nil)
        var (last, missing) = (UUID.zero, 0)
        while true {
            let rows = try await database.query(
                """
                SELECT id, object_id, missing_since IS NOT NULL AS is_marked FROM file_blobs
                 WHERE company_id = \(company) AND id > \(last) AND created_at < \(limit)
                 ORDER BY id LIMIT \(FileLimits.comparedAtOnce)
                """, as: tenant)
            var (lost, back): ([UUID], [UUID]) = ([], [])
            for row in rows {
                last = try row.get("id")
                let object = try row.get("object_id", as: UUID.self)
                let isMarked = try row.get("is_marked", as: Bool.self)
                if there.ids.contains(object) {
                    if isMarked { back.append(last) }
                    // Asked once more: it may have come while the storage was gone through.
                } else if try await parts.storage.length(of: StorageKey(company: company, id: object)) == nil
                {
                    missing += 1
                    if !isMarked { lost.append(last) }
                }
            }
            if !lost.isEmpty || !back.isEmpty {
                _ = try await database.query(
                    """
                    UPDATE file_blobs SET missing_since = CASE WHEN id = ANY(\(lost)) THEN now() END
                     WHERE company_id = \(company) AND id = ANY(\(lost + back))
                    """, as: tenant)
            }
            if rows.count < FileLimits.comparedAtOnce { return missing }
        }
    }
}
