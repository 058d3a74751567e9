import Glibc
import Wire

/// Swagger UI with our own page round it, from files that a script has fetched; they are no part of the repository.
struct SwaggerUI {
    let documents: [(path: String, document: Document)]

    /// Nil when the folder does not hold the files.
    init?(folder: String?) {
        guard let folder, let script = File.read("\(folder)/swagger-ui-bundle.js"),
            let style = File.read("\(folder)/swagger-ui.css")
        else { return nil }
        func zipped(_ name: String) -> [UInt8]? { File.read("\(folder)/\(name).gz") }
        var documents = [
            ("/docs", Document(html: Self.page, policy: Self.policy)),
            ("/docs/init.js", Document(Array(Self.script.utf8), "text/javascript; charset=utf-8")),
            ("/docs/page.css", Document(Array(Self.style.utf8), "text/css; charset=utf-8")),
            (
                "/docs/swagger-ui-bundle.js",
                Document(script, "text/javascript; charset=utf-8", gzipped: zipped("swagger-ui-bundle.js"))
            ),
            (
                "/docs/swagger-ui.css",
                Document(style, "text/css; charset=utf-8", gzipped: zipped("swagger-ui.css"))
            ),
        ]
        if let icon = File.read("\(folder)/favicon-32x32.png") {
            documents.append(("/docs/favicon.png", Document(icon, "image/png")))
        }
        self.documents = documents.map { (path: $0.0, document: $0.1) }
    }

    // Swagger UI writes style attributes and draws its icons from data URLs.
    private static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        + "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'"

    private static let page = """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Infinity API</title>
        <link rel="icon" type="image/png" href="/docs/favicon.png">
        <link rel="stylesheet" href="/docs/swagger-ui.css">
        <link rel="stylesheet" href="/docs/page.css">
        </head>
        <body>
        <div id="swagger-ui"></div>
        <noscript>This page needs JavaScript; the contract itself is at <a href="/openapi.yaml">/openapi.yaml</a>.</noscript>
        <script src="/docs/swagger-ui-bundle.js"></script>
        <script src="/docs/init.js"></script>
        </body>
        </html>

        """

    private static let style = """
        body { margin: 0; background: #fafafa; }
        .swagger-ui .topbar { display: none; }
        .swagger-ui .info { margin: 30px 0; }

        """

    /// A login tried out on the page authorises the calls after it.
    private static let script = """
        const ui = SwaggerUIBundle({
          url: "/openapi.json",
          dom_id: "#swagger-ui",
          presets: [SwaggerUIBundle.presets.apis],
          layout: "BaseLayout",
          deepLinking: true,
          docExpansion: "list",
          filter: true,
          persistAuthorization: true,
          displayRequestDuration: true,
          validatorUrl: null,
          responseInterceptor(response) {
            try {
              const token = JSON.parse(response.text).access_token;
              if (token) ui.preauthorizeApiKey("bearer", token);
            } catch (error) { /* no JSON, no token */ }
            return response;
          },
        });
        window.ui = ui;

        """
}

/// A small file, read whole at start-up.
enum File {
    static func read(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var about = stat()
        guard fstat(fileno(file), &about) == 0, about.st_size > 0, about.st_size <= sizeMax else {
            return nil
        }
        var bytes = [UInt8](repeating: 0, count: Int(about.st_size))
        return fread(&bytes, 1, bytes.count, file) == bytes.count ? bytes : nil
    }

    /// Twice the largest file of Swagger UI.
    private static let sizeMax = 4 << 20
}
