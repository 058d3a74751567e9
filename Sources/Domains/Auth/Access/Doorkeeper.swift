import API
import Core
import Crypto
import HTTP
import Postgres
import Wire

/// Tells who sends a request: by access token, by API key, or by the cookies of browser mode.
///
/// What was read once is remembered by each loop for a minute, and forgotten the moment it changes.
final class Doorkeeper: Authenticator {
    private let caches: [AccessCache]
    private let news: AccessNews
    private let feed: AccessFeed
    private let tokens: AccessTokens
    private let browser: BrowserMode
    private let db: Database
    private let uses: PermissionUses

    init(
        loops: Int, news: AccessNews, feed: AccessFeed, tokens: AccessTokens, browser: BrowserMode,
        db: Database, uses: PermissionUses
    ) {
        caches = (0..<loops).map { _ in AccessCache(news: news) }
        self.news = news
        self.feed = feed
        self.tokens = tokens
        self.browser = browser
        self.db = db
        self.uses = uses
    }

    func cachedPrincipal(for request: Request) -> Principal?? {
        guard feed.isTrusted(at: request.loop.now) else { return nil }
        let cache = caches[request.loop.index]
        guard
            let found = request.headerBytes(
                "authorization",
                { value -> Principal?? in
                    guard let token = Self.bearer(value) else { return nil }
                    return remembered(cache.digest(token), cache, request)
                })
        else { return byCookie(cache, request) }
        return found
    }

    private func byCookie(_ cache: AccessCache, _ request: Request) -> Principal?? {
        guard var token = browser.accessToken(in: request) else { return .some(nil) }
        let digest = token.withUTF8 { cache.digest(UnsafeRawBufferPointer($0)) }
        guard let found = remembered(digest, cache, request), var principal = found else { return nil }
        guard browser.fault(of: request, session: principal.sessionId) == nil else { return nil }
        principal.isByCookie = true
        return principal
    }

    private func remembered(_ digest: SHA256.Digest, _ cache: AccessCache, _ request: Request) -> Principal??
    {
        guard let entry = cache.entry(digest, at: .now) else { return nil }
        guard entry.addresses.isEmpty || request.comes(from: entry.addresses) else { return nil }
        return entry.principal
    }

    func principal(for request: Request) async throws(Problem) -> Principal? {
        do {
            if let header = request.header("authorization") {
                guard let token = Self.bearer(header) else {
                    throw Problem.badToken("The Authorization header must read `Bearer` and a token.")
                }
                return try await load(token, request)
            }
            guard let token = browser.accessToken(in: request) else { return nil }
            var principal = try await load(token, request)
            if let fault = browser.fault(of: request, session: principal.sessionId) { throw fault }
            principal.isByCookie = true
            return principal
        } catch {
            throw Self.problem(error)
        }
    }

    private func load(_ token: String, _ request: Request) async throws -> Principal {
        // Taken before the database is asked: what changes in between is then not kept.
        let version = news.version
        let now = Timestamp.now
        let entry: AccessCache.Entry
        if token.hasPrefix("inf_") {
            entry = try await KeyAccess.load(token, request, at: now, db, uses)
        } else {
            let claims = try await tokens.read(token, at: now)
            entry = try await SessionAccess.load(claims, request, at: now, db, uses)
        }
        if entry.principal.companyRefusal == nil {
            let cache = caches[request.loop.index]
            var token = token
            let digest = token.withUTF8 { cache.digest(UnsafeRawBufferPointer($0)) }
            cache.keep(entry, digest, asOf: version, at: now)
        }
        return entry.principal
    }

    private static func problem(_ error: any Error) -> Problem {
        if let problem = error as? Problem { return problem }
        guard let error = error as? DatabaseError else { return Problem(.internalError) }
        switch error.kind {
        case .unavailable(let pause):
            return .unavailable(retryAfterSeconds: max(1, Int(pause.components.seconds)))
        case .timedOut, .cancelled, .serialization: return .unavailable(retryAfterSeconds: 1)
        case .constraint, .invalidText, .invalidValue, .forbidden, .undecodable, .other:
            return Problem(.internalError)
        }
    }

    /// What stands behind `Bearer`, whatever its case (RFC 9110 section 11.1).
    private static func bearer(_ header: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard header.count > 7, header[6] == 0x20 else { return nil }
        for (index, letter) in "bearer".utf8.enumerated() where header[index] | 0x20 != letter { return nil }
        return UnsafeRawBufferPointer(rebasing: header[7...])
    }

    private static func bearer(_ header: String) -> String? {
        var header = header
        return header.withUTF8 {
            bearer(UnsafeRawBufferPointer($0)).map { String(decoding: $0, as: UTF8.self) }
        }
    }
}

extension Request {
    func comes(from ranges: [AddressRange]) -> Bool {
        let address = clientAddress
        return ranges.contains { $0.contains(address) }
    }
}
