import Postgres
import Synchronization
import Wire

/// A job in the hands of its handler.
public final class Job: Sendable {
    public let id: UUID
    public let kind: String
    public let company: UUID?
    /// The first is 1.
    public let attempt: Int
    public let attemptsMax: Int
    public let work: Work
    /// What an earlier attempt kept, or this one.
    public var checkpoint: JSON? { state.withLock { $0.checkpoint } }
    /// The fence: another worker that took over has a higher one.
    let claim: Int
    let worker: UUID

    private struct State {
        var checkpoint: JSON?
        var isCancelled = false
        var isLost = false
    }

    private let state: Mutex<State>

    init(
        id: UUID, kind: String, company: UUID?, attempt: Int, attemptsMax: Int, claim: Int, worker: UUID,
        checkpoint: JSON?, work: Work
    ) {
        self.id = id
        self.kind = kind
        self.company = company
        self.attempt = attempt
        self.attemptsMax = attemptsMax
        self.claim = claim
        self.worker = worker
        self.work = work
        state = Mutex(State(checkpoint: checkpoint))
    }

    /// Somebody wants it to end. Its task is cancelled too.
    public var isCancelled: Bool { state.withLock { $0.isCancelled || $0.isLost } }
    /// The process is about to end: keep a checkpoint and come back with `.again(at: .now)`.
    public var isStopping: Bool { work.isStopping }

    var isLost: Bool { state.withLock { $0.isLost } }
    func markCancelled() { state.withLock { $0.isCancelled = true } }
    func markLost() { state.withLock { $0.isLost = true } }

    /// Tells how far it has come, to whoever watches it.
    public func progress(_ percent: Int, _ message: String) async throws {
        let rows = try await work.database.query(
            """
            UPDATE jobs
               SET progress = \(min(max(percent, 0), 100)),
                   progress_message = \(JobText.plain(message, bytesMax: JobLimits.progressMessageMax))
             WHERE id = \(id) AND claim = \(claim) AND holder = \(worker)
            RETURNING pg_notify('job_progress', id::text)
            """)
        if rows.isEmpty { throw lost() }
    }

    /// Keeps what the next attempt needs so as not to begin anew.
    public func keep(_ checkpoint: JSON) async throws {
        let text = try JobText.json(checkpoint, bytesMax: JobLimits.checkpointBytesMax)
        let rows = try await work.database.query(
            """
            UPDATE jobs SET checkpoint = \(JSONText(text))
             WHERE id = \(id) AND claim = \(claim) AND holder = \(worker)
            RETURNING id
            """)
        if rows.isEmpty { throw lost() }
        state.withLock { $0.checkpoint = checkpoint }
    }

    /// Finishes the job in the handler's own transaction, so that its effect and its completion are one; the handler
    /// then returns `.done`. Throws when another worker has taken over: then nothing of the transaction may stay.
    public func finish(in tx: Transaction) async throws {
        let rows = try await tx.query(JobSettlement.done([(id, claim)], by: worker))
        if try rows[0].get("moved", as: Int.self) == 0 { throw lost() }
    }

    private func lost() -> JobLost {
        markLost()
        return JobLost()
    }
}

/// Texts on their way into a job's row.
enum JobText {
    /// Without NUL, which the database cannot hold, and of bounded length.
    static func plain(_ text: String, bytesMax: Int) -> String {
        let clean = text.utf8.contains(0) ? String(text.unicodeScalars.filter { $0.value != 0 }) : text
        if clean.utf8.count <= bytesMax { return clean }
        return String(decoding: clean.utf8.prefix(bytesMax), as: UTF8.self)
    }

    static func json(_ json: JSON, bytesMax: Int) throws -> String {
        let text = cleaned(json).description
        if text.utf8.count > bytesMax {
            throw JobFailure.permanent("a value to be kept of the job is too long")
        }
        return text
    }

    private static func cleaned(_ json: JSON) -> JSON {
        switch json {
        case .null, .bool, .number: return json
        case .string(let text): return .string(plain(text, bytesMax: .max))
        case .array(let items): return .array(items.map(cleaned))
        case .object(let object):
            var clean = JSON.Object()
            for (key, value) in object.members { clean[plain(key, bytesMax: .max)] = cleaned(value) }
            return .object(clean)
        }
    }
}
