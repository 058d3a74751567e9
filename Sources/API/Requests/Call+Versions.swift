import HTTP
import Postgres
import Wire

/// Conditional requests: If-None-Match and If-Match against the row's version.
extension Call {
    /// The client has this representation already.
    public func holds(_ tag: EntityTag) -> Bool {
        guard let field = request.headerList("if-none-match") else { return false }
        return EntityTagCondition(field)?.holds(tag) ?? false
    }

    /// The versions `If-Match` allows; nil when any will do. A malformed field is 400.
    private var versionsAllowed: [Int64]? {
        get throws(Problem) {
            guard let field = request.headerList("if-match") else { return nil }
            guard let condition = EntityTagCondition(field) else {
                throw .faulty([
                    Fault(
                        .parameter("If-Match"), "invalid", "must be an ETag in quotes, as it was given",
                        isSyntax: true)
                ])
            }
            switch condition {
            case .any: return nil
            case .tags(let tags): return tags.filter { !$0.isWeak }.compactMap { Int64($0.original.opaque) }
            }
        }
    }

    /// For the WHERE of a change: TRUE, or the condition that the row still has the version the client has seen.
    ///
    ///     UPDATE teams SET … WHERE company_id = \(company) AND id = \(id) AND \(fragment: call.versionMatches())
    public func versionMatches(_ column: String = "version") throws(Problem) -> SQL {
        hasComparedVersions = true
        guard let versions = try versionsAllowed else { return "TRUE" }
        return "\(unescaped: column) = ANY(\(versions))"
    }

    /// Runs a change that names `versionMatches()`. When it finds no row, `exists` tells whether the row is gone (404)
    /// or has another version by now (412).
    public func change(_ sql: SQL, exists: SQL) async throws -> Rows {
        let rows = try await db.write([sql])[0]
        if rows.count > 0 || rows.affected > 0 { return rows }
        guard try versionsAllowed != nil else { throw Problem.notFound }
        let there = try await db.query(exists)
        throw there.count > 0 ? Problem(.versionMismatch) : Problem.notFound
    }

    /// 412 for rows that were read and locked first, unless the version is one `If-Match` allows.
    public func requireVersion(_ version: Int64) throws(Problem) {
        hasComparedVersions = true
        if let versions = try versionsAllowed, !versions.contains(version) { throw Problem(.versionMismatch) }
    }
}

#if DEBUG
    extension Call {
        /// A route that publishes If-Match and succeeds has looked at it: asked while developing, so that its tests fail.
        func checkVersionsWereCompared() throws {
            let route = route.route
            guard route.honoursIfMatch, !hasComparedVersions else { return }
            throw UncheckedVersion(
                description:
                    "\(route.method.name) \(route.path) publishes If-Match and has not looked at it: .ifMatch(.ignored)?"
            )
        }

        private struct UncheckedVersion: Error, CustomStringConvertible { let description: String }
    }
#endif

/// The assignments of a merge patch, for `UPDATE … SET`: what is absent is left alone.
///
///     var changes = Changes()
///     changes.set("name", body.name)              // T?: absent stays
///     changes.set("description", body.description) // T??: null empties
public struct Changes: Sendable {
    private var assignments: [SQL] = []

    public init() {}

    public var isEmpty: Bool { assignments.isEmpty }

    public mutating func set(_ column: String, _ value: (some SQLBindable)?) {
        guard let value else { return }
        assignments.append("\(unescaped: "\(ListSQL.quoted(column)) = ")\(value)")
    }

    /// - Note: preferred over the one above for `Clearable` values.
    public mutating func set<Value: SQLBindable>(_ column: String, _ value: Clearable<Value>) {
        guard let value else { return }
        assignments.append("\(unescaped: "\(ListSQL.quoted(column)) = ")\(value)")
    }

    public mutating func set(_ column: String, to value: SQL) {
        assignments.append("\(unescaped: "\(ListSQL.quoted(column)) = ")\(fragment: value)")
    }

    /// `name = $1, description = $2, version = version + 1, updated_at = now()`.
    public var sql: SQL {
        (assignments + ["version = version + 1", "updated_at = now()"]).joined(separator: ", ")
    }
}
