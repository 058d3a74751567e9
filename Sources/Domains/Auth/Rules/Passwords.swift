import API
import Crypto
import Loop

/// Hashes and checks passwords on threads of their own, so that a storm of sign-ins holds up nobody else.
final class Passwords: Sendable {
    private let hasher: PasswordHash
    private let pool: BlockingPool

    /// - Parameter cores: one hash a core at a time; more would only wait for each other.
    init(cost: Int, pepper: [UInt8], cores: Int = LoopGroup.cores) {
        hasher = PasswordHash(cost: cost, pepper: pepper)
        // Niceness 19: the loops go first.
        pool = BlockingPool(
            label: "passwords", workers: cores, queueLimit: cores * AuthLimits.hashesWaitingPerCore,
            niceness: 19)
    }

    func hash(_ password: String) async throws -> String {
        try await run { [hasher] in hasher.hash(password) }
    }

    /// Whether the password made the hash. Without a hash it takes as long and is never right.
    func isRight(_ password: String, _ stored: String?) async throws -> Bool {
        try await run { [hasher] in
            guard let stored else {
                hasher.verifyNothing(password)
                return false
            }
            return hasher.verify(password, against: stored)
        }
    }

    func needsRehash(_ stored: String) -> Bool { hasher.needsRehash(stored) }

    var waiting: Int { pool.depth }

    private func run<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async throws -> Value {
        do {
            return try await pool.run(work)
        } catch is BlockingPool.Full {
            throw Problem.unavailable(
                retryAfterSeconds: 2, "Too many sign-ins at once; try again in a moment.")
        }
    }
}
