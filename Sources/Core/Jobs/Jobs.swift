import API
import Postgres
import Wire

/// Background jobs as the domains see them: a row written in their own transaction. The job runs after the commit, or
/// not at all; at least once, and never twice at a time while its worker lives.
public enum Jobs {
    /// Told to every worker when there may be something to do; a hint only.
    public static let channel = "jobs"

    /// Enqueues a job with the caller's transaction. Nil when an unfinished job of that kind, company and key exists.
    @inline(never) @discardableResult
    public static func enqueue<Arguments>(
        _ kind: JobKind<Arguments>, _ arguments: Arguments, company: UUID?, at: Timestamp? = nil,
        priority: Int? = nil, uniqueKey: String? = nil, in tx: Transaction
    ) async throws -> UUID? {
        let id = UUID.v7()
        let insert = try insert(kind, [(id, arguments)], company, at, priority, uniqueKey)
        let rows = try await tx.query(insert)
        if rows.isEmpty { return nil }
        if isDue(at) { await tx.onCommit { ring(kind.queue) } }
        return id
    }

    /// Enqueues a job by itself, where nothing else is written: one round trip.
    @discardableResult
    public static func enqueue<Arguments>(
        _ kind: JobKind<Arguments>, _ arguments: Arguments, company: UUID?, at: Timestamp? = nil,
        priority: Int? = nil, uniqueKey: String? = nil, on database: Database
    ) async throws -> UUID? {
        let id = UUID.v7()
        let insert = try insert(kind, [(id, arguments)], company, at, priority, uniqueKey)
        let rows = try await database.write([insert])
        if rows[0].isEmpty { return nil }
        if isDue(at) { ring(kind.queue) }
        return id
    }

    /// Enqueues many of one kind, in as few statements as it takes.
    @inline(never) @discardableResult
    public static func enqueue<Arguments>(
        _ kind: JobKind<Arguments>, all arguments: [Arguments], company: UUID?, at: Timestamp? = nil,
        priority: Int? = nil, in tx: Transaction
    ) async throws -> [UUID] {
        if arguments.isEmpty { return [] }
        var ids: [UUID] = []
        var rest = arguments[...]
        while !rest.isEmpty {
            let part = rest.prefix(JobLimits.enqueuedAtOnce).map { (UUID.v7(), $0) }
            rest = rest.dropFirst(part.count)
            let insert = try insert(kind, part, company, at, priority, nil)
            _ = try await tx.query(insert)
            ids += part.map(\.0)
        }
        if isDue(at) { await tx.onCommit { ring(kind.queue) } }
        return ids
    }

    /// The same as one statement, to send along with others. It gives a row with the job's `id`, or none when the key is
    /// taken; the workers are told as the transaction commits.
    public static func sql<Arguments>(
        _ kind: JobKind<Arguments>, _ arguments: Arguments, company: UUID?, at: Timestamp? = nil,
        priority: Int? = nil, uniqueKey: String? = nil, id: UUID = .v7()
    ) throws -> SQL {
        let insert = try insert(kind, [(id, arguments)], company, at, priority, uniqueKey)
        return "WITH job AS (\(fragment: insert)) SELECT id, pg_notify('jobs', \(kind.queue)) FROM job"
    }

    private static func isDue(_ at: Timestamp?) -> Bool { at.map { $0 <= .now } ?? true }

    private static func ring(_ queue: String) { JobBell.here.ring(Hint(channel: channel, payload: queue)) }

    private static func insert<Arguments>(
        _ kind: JobKind<Arguments>, _ jobs: [(id: UUID, arguments: Arguments)], _ company: UUID?,
        _ at: Timestamp?,
        _ priority: Int?, _ uniqueKey: String?
    ) throws -> SQL {
        let traits = kind.traits
        precondition(priority.map { (0...9).contains($0) } ?? true, "\(kind.name): priority out of range")
        var texts: [String] = []
        texts.reserveCapacity(jobs.count)
        for job in jobs {
            let writer = ByteWriter()
            try writer.writeJSON(job.arguments)
            if writer.count > JobLimits.argumentsBytesMax {
                throw JobFailure.permanent("the arguments of \(kind.name) are too long: pass an id instead")
            }
            texts.append(writer.string)
        }
        let share = company ?? .zero
        // One by one without arrays: a statement that unnests them is planned anew each time, at a third of the cost.
        if jobs.count == 1 {
            return """
                INSERT INTO jobs (id, queue, kind, company_id, share, priority, due_at, attempts_max, lease_seconds,
                                  company_max, unique_key, arguments)
                VALUES (\(jobs[0].id), \(traits.queue), \(traits.name), \(company), \(share),
                        \(priority ?? traits.priority), coalesce(\(at)::timestamptz, now()), \(traits.attemptsMax),
                        \(traits.leaseSeconds), \(traits.perCompanyMax), \(uniqueKey), \(texts[0])::jsonb)
                \(fragment: uniqueKey == nil ? "RETURNING id" : unlessTaken)
                """
        }
        return """
            INSERT INTO jobs (id, queue, kind, company_id, share, priority, due_at, attempts_max, lease_seconds,
                              company_max, unique_key, arguments)
            SELECT job.id, \(traits.queue), \(traits.name), \(company)::uuid, \(share)::uuid,
                   \(priority ?? traits.priority)::smallint, coalesce(\(at)::timestamptz, now()),
                   \(traits.attemptsMax)::integer, \(traits.leaseSeconds)::integer, \(traits.perCompanyMax)::integer,
                   \(uniqueKey)::text, job.arguments::jsonb
              FROM unnest(\(jobs.map(\.id))::uuid[], \(texts)::text[]) AS job (id, arguments)
            \(fragment: uniqueKey == nil ? "RETURNING id" : unlessTaken)
            """
    }

    // Only where there is a key: an insertion that may meet another is written down twice.
    private static let unlessTaken: SQL =
        "ON CONFLICT (kind, share, unique_key) WHERE unique_key IS NOT NULL DO NOTHING RETURNING id"
}
