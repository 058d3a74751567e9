import Postgres
import Wire

/// How an attempt at a job ended, when it did not throw.
public enum JobOutcome: Sendable {
    case done
    /// Done, with something to look up afterwards.
    case result(JSON)
    /// Not done yet: again at that time. Without an error it does not count as an attempt.
    case again(at: Timestamp, error: String? = nil)
    case cancelled(String)
}

/// Why a job failed, in words that its company may read. Any other error is told to the operators alone.
public struct JobFailure: Error, Sendable, CustomStringConvertible {
    public let description: String
    /// Trying again cannot help.
    public let isPermanent: Bool

    /// Tried again after the pause of its kind.
    public static func passing(_ reason: String) -> JobFailure {
        JobFailure(description: reason, isPermanent: false)
    }
    /// Dead at once.
    public static func permanent(_ reason: String) -> JobFailure {
        JobFailure(description: reason, isPermanent: true)
    }
}

/// Thrown where a job that is no longer this worker's would change something.
public struct JobLost: Error, Sendable {}

/// What is done about the jobs of one kind. It may run more than once for a job, so its effects outside the database are
/// keyed by the job's id.
///
/// A thrown error means again, after a growing pause, until the attempts are used up; then the job is dead.
public struct JobHandler: Sendable {
    let traits: JobTraits
    let run: @Sendable (_ arguments: JSON, Job) async throws -> JobOutcome

    public init<Arguments>(
        _ kind: JobKind<Arguments>, _ run: @escaping @Sendable (Arguments, Job) async throws -> JobOutcome
    ) {
        traits = kind.traits
        self.run = { arguments, job in
            let decoded: Arguments
            do {
                decoded = try arguments.decode(Arguments.self)
            } catch {
                throw JobFailure.permanent("the arguments of the job do not have the form its kind expects")
            }
            return try await run(decoded, job)
        }
    }
}
