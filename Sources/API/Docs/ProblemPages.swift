import Wire

/// Every problem by its group, for people: the page that problem types link to, and docs/errors.md.
public struct ProblemPages: Sendable {
    private let groups: [(title: String, codes: [ProblemCode])]

    public init(_ domains: [DomainRoutes]) {
        groups =
            [("Every route", ProblemCode.general)]
            + domains.filter { !$0.problems.isEmpty }.map {
                ($0.name, $0.problems.sorted { ($0.status, $0.name) < ($1.status, $1.name) })
            }
    }

    /// docs/errors.md.
    public var markdown: String {
        var out = """
            # Problems

            Whatever goes wrong is told as `application/problem+json` (RFC 9457): decide by `code`, show `title` and
            `detail`, keep `request_id` for support. A code is never used again for something else.

            This page is written by `make docs` from the declarations in the code.

            """
        for group in groups {
            out +=
                "\n## \(group.title)\n\n| code | status | what happened | what to do |\n|---|---|---|---|\n"
            for code in group.codes {
                out +=
                    "| `\(code.name)` | \(code.status) | \(Self.cell(code.title)) | \(Self.cell(code.advice)) |\n"
            }
        }
        return out
    }

    private static func cell(_ text: String) -> String {
        text.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
    }

    /// The page at /docs/errors; each code is an anchor.
    var html: String {
        var out = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Problems of the Infinity API</title>
            </head>
            <body>
            <h1>Problems</h1>
            <p>Whatever goes wrong is told as <code>application/problem+json</code> (RFC 9457): decide by <code>code</code>,
            show <code>title</code> and <code>detail</code>, keep <code>request_id</code> for support.</p>

            """
        for group in groups {
            out += "<h2>\(group.title.escapedAsMarkup)</h2>\n<dl>\n"
            for code in group.codes {
                out +=
                    "<dt id=\"\(code.name)\"><code>\(code.name)</code> (\(code.status)) \(code.title.escapedAsMarkup)</dt>"
                out += "<dd>\(code.advice.escapedAsMarkup)</dd>\n"
            }
            out += "</dl>\n"
        }
        return out + "</body>\n</html>\n"
    }
}
