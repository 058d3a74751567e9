import API
import Postgres
import Wire

/// Hands the recorded events to the reactions.
///
/// First each reaction is given its due: a row for every event of transactions that can no longer be overtaken by an
/// older one. Then the rows of each company are worked off in their order, one transaction at a time; the row goes in the
/// transaction of the effect.
public struct EventDispatcher: Sendable {
    private let reactions: [Reaction]
    private let byName: [String: Reaction]

    public init(_ reactions: [Reaction]) {
        byName = Dictionary(uniqueKeysWithValues: reactions.map { ($0.name, $0) })
        self.reactions = reactions
    }

    public var workers: [Worker] {
        if reactions.isEmpty { return [] }
        return [
            Worker("events", every: EventLimits.pollPause, wakeUp: Events.channel) { [self] in
                try await round($0)
            },
            Worker.single("events-trim", every: EventLimits.trimPause) { try await Self.trim($0) },
        ]
    }

    func round(_ work: Work) async throws -> Worker.Round {
        let isMore = try await distribute(work)
        let lanes = try await lanes(work)
        let isFurther = await withTaskGroup(of: Bool.self) { group in
            var isFurther = false
            var waiting = lanes[...]
            for _ in 0..<EventLimits.lanesAtOnce {
                guard let lane = waiting.popFirst() else { break }
                group.addTask { await workOff(lane, work) }
            }
            while let isDone = await group.next() {
                if isDone { isFurther = true }
                if let lane = waiting.popFirst() { group.addTask { await workOff(lane, work) } }
            }
            return isFurther
        }
        // Where another instance is at work there is nothing to hurry for.
        return (isMore || isFurther) && !work.isStopping ? .more : .idle
    }

    // MARK: giving each reaction its due

    /// True when some reaction got as many as it may at once, so that there may be more.
    private func distribute(_ work: Work) async throws -> Bool {
        var isMore = false
        for reaction in reactions where !work.isStopping {
            let given = try await give(reaction, work.database)
            if given >= EventLimits.givenAtOnce { isMore = true }
        }
        return isMore
    }

    private func give(_ reaction: Reaction, _ db: Database) async throws -> Int {
        let rows = try await db.query(
            "SELECT mark::text AS mark, pg_snapshot_xmin(pg_current_snapshot())::text AS horizon FROM reactions WHERE name = \(reaction.name)"
        )
        guard let row = rows.first else {
            // A new reaction begins with what happens from now on.
            _ = try await db.query(
                """
                INSERT INTO reactions (name, mark) VALUES (\(reaction.name), pg_snapshot_xmin(pg_current_snapshot()))
                ON CONFLICT (name) DO NOTHING
                """)
            return 0
        }
        if try row.get("mark", as: String.self) == row.get("horizon", as: String.self) { return 0 }
        return try await db.query(giving(reaction))[0].get("given")
    }

    /// One statement: the reaction's row is locked, so that one instance at a time gives and positions become visible in
    /// order. Whole transactions are given, however many events they recorded.
    private func giving(_ reaction: Reaction) -> SQL {
        """
        WITH reaction AS MATERIALIZED (
            SELECT name, mark FROM reactions WHERE name = \(reaction.name) FOR UPDATE SKIP LOCKED),
        fresh AS MATERIALIZED (
            SELECT event.xid, event.seq, event.company_id, event.type
              FROM reaction, outbox event
             WHERE event.xid >= reaction.mark AND event.xid < pg_snapshot_xmin(pg_current_snapshot())
             ORDER BY event.xid
             FETCH FIRST \(EventLimits.givenAtOnce) ROWS WITH TIES),
        moved AS (
            UPDATE reactions
               SET mark = greatest(
                       reactions.mark,
                       CASE WHEN (SELECT count(*) FROM fresh) < \(EventLimits.givenAtOnce)
                            THEN pg_snapshot_xmin(pg_current_snapshot())
                            ELSE (((SELECT max(xid) FROM fresh)::text::bigint + 1)::text)::xid8 END)
              FROM reaction
             WHERE reactions.name = reaction.name),
        given AS (
            INSERT INTO reactions_due (reaction, company_id, seq)
            SELECT \(reaction.name), company_id, seq
              FROM fresh
             WHERE \(fragment: reaction.subscription.condition)
             ORDER BY seq)
        SELECT count(*) AS given FROM fresh
        """
    }

    // MARK: working it off

    private struct Lane: Sendable {
        let reaction: Reaction
        let company: UUID
    }

    /// The pairs of reaction and company that have something due, found from one to the next by the index.
    private func lanes(_ work: Work) async throws -> [Lane] {
        let rows = try await work.database.query(
            """
            WITH RECURSIVE lane (reaction, company_id) AS (
                (SELECT reaction, company_id FROM reactions_due
                  WHERE dead_at IS NULL ORDER BY reaction, company_id LIMIT 1)
                UNION ALL
                SELECT next.reaction, next.company_id
                  FROM lane, LATERAL (
                    SELECT reaction, company_id FROM reactions_due
                     WHERE dead_at IS NULL AND (reaction, company_id) > (lane.reaction, lane.company_id)
                     ORDER BY reaction, company_id LIMIT 1) next)
            SELECT lane.reaction, lane.company_id
              FROM lane JOIN reactions ON reactions.name = lane.reaction AND NOT reactions.is_paused,
                   LATERAL (
                     SELECT due_at FROM reactions_due
                      WHERE reaction = lane.reaction AND company_id = lane.company_id AND dead_at IS NULL
                      ORDER BY position LIMIT 1) head
             WHERE head.due_at <= now() AND lane.reaction = ANY (\(Array(byName.keys))::text[])
            """)
        return try rows.compactMap { row in
            let name: String = try row.get(0)
            guard let reaction = byName[name] else { return nil }
            return Lane(reaction: reaction, company: try row.get(1))
        }.shuffled()
    }

    /// True when it has come further.
    private func workOff(_ lane: Lane, _ work: Work) async -> Bool {
        do {
            let tenant = Tenant(company: lane.company)
            let done = try await work.database.transaction(as: tenant) { tx in
                try await react(lane, EventLimits.eventsAtOnce, tx, work)
            }
            return done > 0
        } catch {
            return await workOffFirst(lane, work)
        }
    }

    /// One of several failed, or the only one: the first alone, and when it fails it waits.
    private func workOffFirst(_ lane: Lane, _ work: Work) async -> Bool {
        do {
            let done = try await work.database.transaction(as: Tenant(company: lane.company)) { tx in
                try await react(lane, 1, tx, work)
            }
            return done > 0
        } catch {
            work.log.warning(
                "a reaction failed",
                metadata: [
                    "reaction": "\(lane.reaction.name)", "company": "\(lane.company)",
                    "error": "\(String(reflecting: error))",
                ])
            work.figures.finished(lane.reaction.name, "failed")
            let isPostponed: Void? = try? await postpone(lane, error, work.database)
            return isPostponed != nil
        }
    }

    /// Gives how many events it was told of.
    private func react(_ lane: Lane, _ count: Int, _ tx: Transaction, _ work: Work) async throws -> Int {
        // Two instances never work on one company's events for one reaction at a time: the second would overtake.
        let lock = "\(lane.reaction.name) \(lane.company)"
        let answer = try await tx.query(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(\(lock), 0)) AS mine")
        guard try answer[0].get("mine") else { return 0 }
        let first = try await tx.query(
            """
            SELECT due.position, due.due_at <= now() AS is_due, \(unescaped: Event.columns)
              FROM reactions_due due JOIN outbox event ON event.seq = due.seq
             WHERE due.reaction = \(lane.reaction.name) AND due.company_id = \(lane.company)
               AND due.dead_at IS NULL
             ORDER BY due.position
             LIMIT \(count)
            """)
        // What waits after a failure holds up all behind it.
        let rows = try first.prefix { try $0.get("is_due") }
        if rows.isEmpty { return 0 }
        for row in rows {
            let event = try Event(row)
            try await lane.reaction.run(event, tx, work)
        }
        let positions: [Int64] = try rows.map { try $0.get("position") }
        _ = try await tx.query("DELETE FROM reactions_due WHERE position = ANY (\(positions)::bigint[])")
        let (name, done) = (lane.reaction.name, rows.count)
        await tx.onCommit { for _ in 0..<done { work.figures.finished(name, "done") } }
        return done
    }

    /// The first waits and is tried again; after the last try it is put aside.
    private func postpone(_ lane: Lane, _ error: any Error, _ db: Database) async throws {
        let told = JobText.plain(String(reflecting: error), bytesMax: JobLimits.errorBytesMax)
        let entry: JSON = ["at": .string(Timestamp.now.description), "error": .string(told)]
        let pause = Double.random(in: 0.8...1.2)
        _ = try await db.query(
            """
            UPDATE reactions_due
               SET attempt = attempt + 1,
                   due_at = now() + least(\(EventLimits.pauseSecondsMax), 2 ^ least(attempt, 20))
                            * \(pause)::double precision * interval '1 second',
                   dead_at = CASE WHEN attempt + 1 >= \(EventLimits.attemptsMax) THEN now() END,
                   errors = CASE WHEN jsonb_array_length(errors) >= \(JobLimits.errorsKept) THEN errors - 1
                                 ELSE errors END || \(JSONText(entry))::jsonb
             WHERE position = (SELECT position FROM reactions_due
                                WHERE reaction = \(lane.reaction.name) AND company_id = \(lane.company)
                                  AND dead_at IS NULL
                                ORDER BY position LIMIT 1)
               AND due_at <= now()
            """)
    }

    /// Forgets events of a month ago that nobody waits for.
    private static func trim(_ work: Work) async throws -> Worker.Round {
        let rows = try await work.database.query(
            """
            WITH old AS (
                SELECT seq FROM outbox
                 WHERE at < now() - make_interval(days => \(EventLimits.daysKept))
                   AND NOT EXISTS (SELECT FROM reactions_due WHERE reactions_due.seq = outbox.seq)
                 ORDER BY at LIMIT \(EventLimits.trimmedAtOnce)),
            gone AS (DELETE FROM outbox USING old WHERE outbox.seq = old.seq RETURNING 1)
            SELECT count(*) AS gone FROM gone
            """)
        return try rows[0].get("gone", as: Int.self) == EventLimits.trimmedAtOnce ? .more : .idle
    }
}

extension Reaction.Subscription {
    /// Which of the events it is about, as a condition on `type`.
    var condition: SQL {
        switch self {
        case .all: "true"
        case .types(let types): "type = ANY (\(types)::text[])"
        }
    }
}
