import API
import HTTP

/// The plain pages that mails lead to, for when no other web client stands before the API.
///
/// Opening one changes nothing: mail scanners open links. A button does, and the secret stays behind `#`, where neither
/// servers nor logs see it.
public enum WebPage {
    /// A page with a title, a text, `body` and a place for the outcome; its script and style are files under `assets`.
    public static func html(_ body: String, assets: String) -> String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="robots" content="noindex">
        <title>Infinity</title>
        <link rel="stylesheet" href="\(assets)/page.css">
        </head>
        <body>
        <main>
        <h1 id="title">Infinity</h1>
        <p id="text">This page needs JavaScript.</p>
        \(body)
        <p id="outcome" role="status"></p>
        </main>
        <script src="\(assets)/page.js"></script>
        </body>
        </html>

        """
    }

    public static let css = """
        :root { color-scheme: light dark; }
        body { font: 16px/1.5 system-ui, sans-serif; margin: 0; display: grid; min-height: 100vh; place-items: center; }
        main { max-width: 26rem; padding: 2rem; }
        h1 { font-size: 1.4rem; }
        label { display: block; margin-bottom: 1rem; }
        input { font: inherit; display: block; width: 100%; box-sizing: border-box; padding: .5rem; }
        button { font: inherit; font-weight: 600; padding: .6rem 1.2rem; cursor: pointer; }
        button.quiet { font-weight: 400; background: none; border: 0; text-decoration: underline; color: inherit; }

        """
}

public struct HTMLText: RouteOutput {
    let text: String
    public init(_ text: String) { self.text = text }
    public static func part() -> OutputPart { OutputPart(status: 200, shape: .media(["text/html"])) }
    public func response(to call: Call) -> Response { .page(text, "text/html; charset=utf-8") }
}

public struct ScriptText: RouteOutput {
    let text: String
    public init(_ text: String) { self.text = text }
    public static func part() -> OutputPart { OutputPart(status: 200, shape: .media(["text/javascript"])) }
    public func response(to call: Call) -> Response { .page(text, "text/javascript; charset=utf-8") }
}

public struct StyleText: RouteOutput {
    let text: String
    public init(_ text: String) { self.text = text }
    public static func part() -> OutputPart { OutputPart(status: 200, shape: .media(["text/css"])) }
    public func response(to call: Call) -> Response { .page(text, "text/css; charset=utf-8") }
}

extension Response {
    fileprivate static func page(_ text: String, _ type: String) -> Response {
        var response = Response(status: 200, body: .bytes(Array(text.utf8)))
        response.headers.add("content-type", type)
        response.headers.add("cache-control", "public, max-age=300" as StaticString)
        response.headers.add(
            "content-security-policy",
            """
            default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; \
            base-uri 'none'; frame-ancestors 'none'
            """ as StaticString)
        return response
    }
}
