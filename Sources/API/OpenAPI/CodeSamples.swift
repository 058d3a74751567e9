import HTTP
import Wire

/// The same call in three languages, ready to paste.
struct CodeSamples {
    let route: Route

    var all: JSON {
        [
            ["lang": "Shell", "label": "curl", "source": .string(curl)],
            ["lang": "Python", "label": "Python", "source": .string(python)],
            ["lang": "Swift", "label": "Swift", "source": .string(swift)],
        ]
    }

    private var needsToken: Bool { route.access != .open }
    private var hasKey: Bool { route.method == .post && route.idempotency != .none }

    private var curl: String {
        var lines = [
            route.method == .get
                ? "curl \"$INFINITY\(route.examplePath)\""
                : "curl -X \(route.method.name) \"$INFINITY\(route.examplePath)\""
        ]
        if needsToken { lines.append("-H \"Authorization: Bearer $TOKEN\"") }
        if hasKey { lines.append("-H \"Idempotency-Key: $(uuidgen)\"") }
        if let body = route.exampleBody {
            lines.append("-H \"Content-Type: application/json\"")
            lines.append(
                "-d '\(body.description.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''"))'"
            )
        }
        return lines.joined(separator: " \\\n  ")
    }

    private var python: String {
        var imports = ["os"]
        var arguments = ["os.environ[\"INFINITY\"] + \"\(route.examplePath)\""]
        var headers: [String] = []
        if needsToken { headers.append("\"Authorization\": \"Bearer \" + os.environ[\"TOKEN\"]") }
        if hasKey {
            imports.append("uuid")
            headers.append("\"Idempotency-Key\": str(uuid.uuid4())")
        }
        if !headers.isEmpty { arguments.append("headers={\(headers.joined(separator: ", "))}") }
        if let body = route.exampleBody { arguments.append("json=\(PythonLiteral.text(body))") }
        let call = "\(route.method.name)".lowercased()
        return """
            import \(imports.joined(separator: ", "))
            import httpx

            answer = httpx.\(call)(
                \(arguments.joined(separator: ",\n    ")),
            )
            answer.raise_for_status()
            \(route.output.status == 204 ? "print(answer.status_code)" : "print(answer.json())")
            """
    }

    private var swift: String {
        var lines = ["var request = URLRequest(url: URL(string: infinity + \"\(route.examplePath)\")!)"]
        if route.method != .get { lines.append("request.httpMethod = \"\(route.method.name)\"") }
        if needsToken {
            lines.append("request.setValue(\"Bearer \\(token)\", forHTTPHeaderField: \"Authorization\")")
        }
        if hasKey {
            lines.append("request.setValue(UUID().uuidString, forHTTPHeaderField: \"Idempotency-Key\")")
        }
        if let body = route.exampleBody {
            lines.append("request.setValue(\"application/json\", forHTTPHeaderField: \"Content-Type\")")
            lines.append("request.httpBody = Data(#\"\(body)\"#.utf8)")
        }
        lines.append("let (data, _) = try await URLSession.shared.data(for: request)")
        return lines.joined(separator: "\n")
    }
}

/// JSON as Python writes it.
private enum PythonLiteral {
    static func text(_ json: JSON) -> String {
        switch json {
        case .null: "None"
        case .bool(let value): value ? "True" : "False"
        case .number, .string: json.description
        case .array(let items): "[" + items.map(text).joined(separator: ", ") + "]"
        case .object(let object):
            "{" + object.members.map { "\(JSON.string($0.key)): \(text($0.value))" }.joined(separator: ", ")
                + "}"
        }
    }
}
