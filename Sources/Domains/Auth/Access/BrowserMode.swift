import API
import Crypto
import HTTP
import Wire

/// Signing in with cookies, for pages in a browser: the tokens are kept where no script can read them, and what a
/// foreign page makes the browser send is refused.
///
/// Against foreign pages stand three things: SameSite, the browser's own word on where the request comes from
/// (Origin, Sec-Fetch-Site), and a token that must come both as cookie and as header.
struct BrowserMode: Sendable {
    private let key: HMACKey
    private let isSecure: Bool
    private let origins: Set<String>
    private let accessCookie: String
    private let refreshCookie: String
    private let csrfCookieName: String
    private let flowCookieName: String

    /// - Parameter origins: of our own pages, as `https://example.com`.
    init(_ ring: KeyRing, origins: [String], isSecure: Bool) {
        key = HMACKey(ring.derive("cookie request token"))
        self.isSecure = isSecure
        self.origins = Set(origins)
        // `__Host-`: no other host and no plain HTTP page can plant such a cookie.
        let prefix = isSecure ? "__Host-" : ""
        accessCookie = prefix + "infinity_access"
        refreshCookie = prefix + "infinity_refresh"
        csrfCookieName = prefix + "infinity_csrf"
        flowCookieName = prefix + "infinity_flow"
    }

    func accessToken(in request: Request) -> String? { value(accessCookie, in: request) }
    func refreshToken(in request: Request) -> String? { value(refreshCookie, in: request) }

    func csrfToken(for session: UUID) -> String { Base64.encode(key.authenticate(session.bytes), .url) }

    /// Nil, or why the request may be a foreign page's. Reading changes nothing, so it is always allowed.
    func fault(of request: Request, session: UUID?) -> Problem? {
        switch request.method {
        case .get, .head, .options: return nil
        case .post, .put, .patch, .delete: break
        }
        if let fault = foreignPage(request) { return fault }
        guard let session, let sent = request.header("x-csrf-token"),
            let kept = value(csrfCookieName, in: request),
            constantTimeEquals(sent, kept), constantTimeEquals(sent, csrfToken(for: session))
        else { return Problem(.csrfFailed, "X-CSRF-Token is missing or not that of the session.") }
        return nil
    }

    /// Nil unless the browser itself says that another site's page sends the request.
    func foreignPage(_ request: Request) -> Problem? {
        if let site = request.header("sec-fetch-site"), site != "same-origin", site != "none" {
            guard let origin = request.header("origin"), origins.contains(origin) else {
                return Problem(.csrfFailed, "The request comes from a page of another site.")
            }
            return nil
        }
        guard let origin = request.header("origin") else { return nil }
        let own = (request.isSecure ? "https://" : "http://") + request.host
        return origin == own || origins.contains(origin)
            ? nil : Problem(.csrfFailed, "The request comes from a page of another site.")
    }

    /// The cookies of a session just begun or refreshed.
    func cookies(access: String, life: Duration, refresh: String, idle: Duration, session: UUID)
        -> [SetCookie]
    {
        [
            cookie(accessCookie, access, life), cookie(refreshCookie, refresh, idle),
            csrfCookie(for: session, idle: idle),
        ]
    }

    func csrfCookie(for session: UUID, idle: Duration) -> SetCookie {
        cookie(csrfCookieName, csrfToken(for: session), idle, isHidden: false)
    }

    /// Binds a way to a provider and back to the browser that began it.
    func flowCookie(_ token: String, life: Duration) -> SetCookie { cookie(flowCookieName, token, life) }

    func flowToken(in request: Request) -> String? { value(flowCookieName, in: request) }

    func accessCookie(_ token: String, life: Duration) -> SetCookie { cookie(accessCookie, token, life) }

    /// What takes them away again.
    var farewell: [SetCookie] { [accessCookie, refreshCookie, csrfCookieName].map { cookie($0, "", .zero) } }

    private func cookie(_ name: String, _ value: String, _ life: Duration, isHidden: Bool = true) -> SetCookie
    {
        do {
            return try SetCookie(
                name, value, maxAgeSeconds: Int(life.components.seconds), isSecure: isSecure,
                isHTTPOnly: isHidden)
        } catch {
            preconditionFailure("\(name) is no cookie: \(error)")
        }
    }

    private func value(_ name: String, in request: Request) -> String? {
        guard let header = request.headerList("cookie") else { return nil }
        return Cookies(header)[name].flatMap { $0.isEmpty ? nil : $0 }
    }
}
