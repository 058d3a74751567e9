import API
import Crypto
import Loop
import Postgres
import Synchronization
import Wire

/// The keys that sign access tokens, shared by all instances through the database.
///
/// A key is published as `next` long before it signs, so that every instance knows it by then; a retired one is
/// published until the last token it signed has expired.
final class SigningKeys: Sendable {
    private struct Keys {
        var signing: SigningKey?
        var published: [VerifyingKey] = []
        var byKid: [String: VerifyingKey] = [:]
        var searchedAt: UInt64 = 0
    }

    enum Failure: Error, CustomStringConvertible {
        case sealedWithAnotherKey(kid: String)

        var description: String {
            switch self {
            case .sealedWithAnotherKey(let kid):
                "The signing key \(kid) was sealed with a secret key that is not known here. Set INFINITY_SECRET_KEY "
                    + "so that it also lists the key it was sealed with: new first, old behind it."
            }
        }
    }

    private let keys = Mutex(Keys())
    private let ring: KeyRing
    private let db: Database
    private let tokenLife: Duration

    init(_ ring: KeyRing, _ db: Database, tokenLife: Duration) {
        self.ring = ring
        self.db = db
        self.tokenLife = tokenLife
    }

    /// Makes what is missing and loads what there is. Of two instances that start at once, one's keys win.
    func start() async throws {
        for state in ["current", "next"] {
            let key = SigningKey.make()
            _ = try await db.query(insert(key, state, at: .now))
        }
        try await load()
    }

    private func insert(_ key: SigningKey, _ state: String, at now: Timestamp) -> SQL {
        """
        INSERT INTO signing_keys (kid, state, public_der, private_sealed, created_at, current_since)
        VALUES (\(key.kid), \(state), \(key.publicKey.der), \(ring.seal(key.der, context: Self.context(key.kid))),
                \(now), \(state == "current" ? now : nil))
        ON CONFLICT DO NOTHING
        """
    }

    private static func context(_ kid: String) -> String { "signing key \(kid)" }

    func load() async throws {
        let rows = try await db.query(
            """
            SELECT kid, state, public_der, private_sealed FROM signing_keys
             ORDER BY array_position('{current,next,retired}'::text[], state), created_at DESC
            """)
        var found = Keys()
        for row in rows {
            let kid = try row.get("kid", as: String.self)
            guard let key = VerifyingKey(der: try row.get("public_der", as: [UInt8].self)), key.kid == kid
            else { continue }
            found.published.append(key)
            found.byKid[kid] = key
            guard try row.get("state", as: String.self) == "current",
                let sealed = try row.get("private_sealed", as: [UInt8]?.self)
            else { continue }
            guard let der = try? ring.open(sealed, context: Self.context(kid)) else {
                throw Failure.sealedWithAnotherKey(kid: kid)
            }
            found.signing = SigningKey(der: der)
        }
        found.searchedAt = EventLoop.monotonicNanoseconds()
        keys.withLock { [found] in $0 = found }
    }

    /// The key that signs at present.
    var current: SigningKey {
        get throws {
            guard let key = keys.withLock({ $0.signing }) else {
                throw Problem.unavailable(retryAfterSeconds: 1, "The signing keys are not loaded yet.")
            }
            return key
        }
    }

    func key(_ kid: String) -> VerifyingKey? { keys.withLock { $0.byKid[kid] } }

    /// The document of the JWKS.
    var keySet: String { JWT.keySet(keys.withLock { $0.published }) }

    /// Looks for keys another instance may have made, unless that was done just now.
    func search() async throws {
        let now = EventLoop.monotonicNanoseconds()
        let isDue = keys.withLock { keys in
            guard now - keys.searchedAt >= UInt64(AuthLimits.keySearchEvery.seconds * 1e9) else {
                return false
            }
            keys.searchedAt = now
            return true
        }
        if isDue { try await load() }
    }

    /// Loads the keys anew now and then: another instance may have exchanged them, and a retired one must not sign.
    func keepFresh(on loop: EventLoop) -> Task<Void, Never> {
        loop.task { [self] in
            while !Task.isCancelled {
                try? await Task.sleep(for: AuthLimits.keysFreshFor)
                if !Task.isCancelled { try? await load() }
            }
        }
    }

    /// Exchanges the keys when they are old enough: `next` signs from now on, a new one stands ready.
    func rotateIfDue(at now: Timestamp) async throws {
        let old = now - AuthLimits.signingKeyLife
        let fresh = SigningKey.make()
        try await db.transaction { tx in
            let due = try await tx.query(
                """
                UPDATE signing_keys SET state = 'retired', retired_at = \(now), private_sealed = NULL
                 WHERE state = 'current' AND current_since < \(old)
                   AND EXISTS (SELECT 1 FROM signing_keys WHERE state = 'next')
                RETURNING kid
                """)
            if !due.isEmpty {
                _ = try await tx.query(
                    "UPDATE signing_keys SET state = 'current', current_since = \(now) WHERE state = 'next'")
                _ = try await tx.query(insert(fresh, "next", at: now))
            }
            _ = try await tx.query(
                "DELETE FROM signing_keys WHERE state = 'retired' AND retired_at < \(now - tokenLife - .seconds(3600))"
            )
        }
        try await load()
    }
}
