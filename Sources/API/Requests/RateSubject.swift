import HTTP
import Wire

/// Whose bucket a request is counted in.
enum RateSubject {
    static func key(_ subject: RatePolicy.Subject, _ call: Call) -> RateLimiter.Key {
        switch subject {
        case .company: if let id = call.principal?.companyId { return key(id) }
        case .user: if let id = call.principal?.apiKeyId ?? call.principal?.userId { return key(id) }
        case .client: break
        }
        return key(call.request.clientAddress)
    }

    private static func key(_ id: UUID) -> RateLimiter.Key { RateLimiter.Key(high: id.high, low: id.low) }

    /// An IPv6 customer has a whole /64 to himself, so that is who is counted.
    private static func key(_ address: IPAddress) -> RateLimiter.Key {
        RateLimiter.Key(high: address.high, low: address.isV4 ? address.low : 0)
    }
}
