import API
import HTTP
import Wire

/// The public keys with which anybody can verify our access tokens.
enum JWKS {
    @RouteList static var routes: [Route] {
        GET("/.well-known/jwks.json", "The keys that access tokens are signed with", .open, show)
            .describe(
                "RFC 7517. A key stands here before it signs and for as long as a token of it may live."
            )
            .operation("getKeySet").media("application/jwk-set+json")
    }

    static func show(_ call: Call) async throws -> Raw {
        // Another instance may have made the next key.
        try await call.auth.keys.search()
        var response = Response(status: 200, body: .bytes(Array(call.auth.keys.keySet.utf8)))
        response.headers.add("content-type", "application/jwk-set+json" as StaticString)
        response.headers.add("cache-control", "public, max-age=300" as StaticString)
        return Raw(response)
    }
}
