import API
import Core
import Crypto
import HTTP
import Postgres
import Wire

/// Getting no more letters with one click, as mail programs and providers do it (RFC 8058). The address carries whose it
/// is, and a code that nobody else can make; nothing is kept until it is used.
struct SequenceOptOut: Sendable {
    @RouteList static var routes: [Route] {
        GET("/v1/public/letters/{token}", "See what unsubscribing from letters would stop", .open, show)
            .describe("A page with a button. Opening it changes nothing: mail scanners open links.")
            .operation("showLetterOptOut").media("text/html").problems(.unknownOptOut)
        POST("/v1/public/letters/{token}", "Get no more letters of a company", .open, stop)
            .describe(
                "One click by RFC 8058: the body is `List-Unsubscribe=One-Click` as a form. Asking again changes nothing."
            )
            .operation("optOutOfLetters").media("text/html").bodyBytes(max: 4 << 10).problems(.unknownOptOut)
    }

    private let keys: [HMACKey]
    private let url: String
    private static let codeLength = 16

    init(_ environment: Environment) {
        keys = environment[KeyRing.self].deriveAll("crm-letters").map { HMACKey($0) }
        url = environment[PublicAddress.self].url
    }

    func link(for address: String, _ company: UUID) -> String {
        let payload = "\(company) \(address.lowercased())"
        let code = Array(keys[0].authenticate(payload).prefix(Self.codeLength))
        return "\(url)/v1/public/letters/\(Base64.encode(code + Array(payload.utf8), .url))"
    }

    private func wish(of token: String) -> (company: UUID, address: String)? {
        guard let bytes = Base64.decode(token, .url), bytes.count > Self.codeLength else { return nil }
        let payload = String(decoding: bytes[Self.codeLength...], as: UTF8.self)
        let code = Array(bytes[..<Self.codeLength])
        guard
            keys.contains(where: {
                constantTimeEquals(Array($0.authenticate(payload).prefix(Self.codeLength)), code)
            })
        else { return nil }
        let parts = payload.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, let company = UUID(parts[0]) else { return nil }
        return (company, String(parts[1]))
    }

    static func show(_ call: Call, _ token: Path<Text<600>>) async throws -> Raw {
        guard SequenceOptOut(call.environment).wish(of: token.text) != nil else {
            throw Problem(.unknownOptOut)
        }
        return page(
            "Unsubscribe",
            """
            <form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click">
            <button>Get no more of these letters</button></form>
            """)
    }

    static func stop(_ call: Call, _ token: Path<Text<600>>, _ upload: Upload) async throws -> Raw {
        guard let wish = SequenceOptOut(call.environment).wish(of: token.text) else {
            throw Problem(.unknownOptOut)
        }
        let body = String(decoding: try await call.request.body.collect(upTo: 4 << 10), as: UTF8.self)
        guard body.contains("List-Unsubscribe"), body.contains("One-Click") else {
            throw Problem(.unknownOptOut, "The body must be List-Unsubscribe=One-Click.")
        }
        _ = try await call.db.query(
            """
            INSERT INTO sequence_optouts (company_id, address) VALUES (\(wish.company), \(wish.address))
            ON CONFLICT DO NOTHING
            """, as: Tenant(company: wish.company))
        return page("Unsubscribed", "You get no more of these letters.")
    }

    private static func page(_ title: String, _ body: String) -> Raw {
        let html = """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
            <meta name="robots" content="noindex"><title>\(title)</title></head>
            <body><main><h1>\(title)</h1>\(body)</main></body></html>

            """
        var response = Response(status: 200, body: .bytes(Array(html.utf8)))
        response.headers.add("content-type", "text/html; charset=utf-8" as StaticString)
        response.headers.add("cache-control", "no-store" as StaticString)
        response.headers.add(
            "content-security-policy",
            "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'" as StaticString)
        return Raw(response)
    }
}
