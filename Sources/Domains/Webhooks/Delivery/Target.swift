import Core
import Crypto
import Postgres
import Wire

/// An endpoint as the deliverer needs it.
struct Target: Sendable {
    let url: String
    let headers: [(name: String, value: String)]
    let secrets: [SigningSecret]
    let throttlePerSecond: Int?
    let isActive: Bool

    static func sql(_ endpoint: UUID, of company: UUID) -> SQL {
        """
        SELECT url, headers_sealed, throttle_per_second, is_active, secret_sealed,
               CASE WHEN old_secret_until > now() THEN old_secret_sealed END AS old_secret_sealed
          FROM webhook_endpoints WHERE company_id = \(company) AND id = \(endpoint)
        """
    }

    init(_ row: Row, of endpoint: UUID, _ ring: KeyRing) throws {
        url = try row.get("url")
        throttlePerSecond = try row.get("throttle_per_second")
        isActive = try row.get("is_active")
        headers =
            try row.get("headers_sealed", as: [UInt8]?.self).map { sealed in
                let json = try ring.openText(sealed, "headers", of: endpoint)
                return try HeaderField.fields(json)
            } ?? []
        let sealed: [[UInt8]?] = [try row.get("secret_sealed"), try row.get("old_secret_sealed")]
        secrets = try sealed.compactMap { sealed in
            guard let sealed else { return nil }
            return SigningSecret(try ring.openText(sealed, "secret", of: endpoint))
        }
    }
}
