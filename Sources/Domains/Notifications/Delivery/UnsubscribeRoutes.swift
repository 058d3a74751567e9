import API
import Core
import HTTP
import Postgres
import Wire

/// Getting no more mails of a kind with one click, as mail programs and providers do it (RFC 8058).
enum UnsubscribeRoutes {
    @RouteList static var routes: [Route] {
        GET("/v1/public/unsubscribe/{token}", "See what unsubscribing would stop", .open, show)
            .describe("A page with a button. Opening it changes nothing: mail scanners open links.")
            .media("text/html").problems(.unknownUnsubscribe)
        POST("/v1/public/unsubscribe/{token}", "Stop mails of a kind", .open, stop)
            .describe(
                "One click by RFC 8058: the body is `List-Unsubscribe=One-Click` as a form, of either kind. No cookie, "
                    + "no sign-in. Asking again changes nothing."
            )
            .media("text/html").bodyBytes(max: 4 << 10).problems(.unknownUnsubscribe)
    }

    static func show(_ call: Call, _ token: Path<Text<600>>) async throws -> Raw {
        guard let wish = call.environment[PostOffice.self].unsubscribing.wish(of: token.text) else {
            throw Problem(.unknownUnsubscribe)
        }
        let form = """
            <form method="post" action="\(token.text.escapedAsMarkup)">
            <input type="hidden" name="List-Unsubscribe" value="One-Click">
            <button>Stop these mails</button>
            </form>
            """
        return page("Unsubscribe", "Get no more mails about “\(wish.category.escapedAsMarkup)”? \(form)")
    }

    static func stop(_ call: Call, _ token: Path<Text<600>>, _ upload: Upload) async throws -> Raw {
        guard let wish = call.environment[PostOffice.self].unsubscribing.wish(of: token.text) else {
            throw Problem(.unknownUnsubscribe)
        }
        let body = String(decoding: try await call.request.body.collect(upTo: 4 << 10), as: UTF8.self)
        guard body.contains("List-Unsubscribe"), body.contains("One-Click") else {
            throw Problem(.unknownUnsubscribe, "The body must be List-Unsubscribe=One-Click.")
        }
        _ = try await call.db.query(
            """
            INSERT INTO notification_preferences (company_id, user_id, category, channel, is_on)
            VALUES (\(wish.company), \(wish.user), \(wish.category), 'email', FALSE)
            ON CONFLICT (company_id, user_id, category, channel) DO UPDATE SET is_on = FALSE, updated_at = now()
            """, as: Tenant(company: wish.company))
        return page(
            "Unsubscribed",
            "You get no more mails about “\(wish.category.escapedAsMarkup)”. Your inbox still does.")
    }

    private static func page(_ title: String, _ body: String) -> Raw {
        let html = """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
            <meta name="robots" content="noindex"><title>\(title)</title></head>
            <body><main><h1>\(title)</h1><p>\(body)</p></main></body></html>

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
