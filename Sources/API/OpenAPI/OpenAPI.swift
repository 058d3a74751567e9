import HTTP
import Wire

/// The contract, written from the same declarations that route and check: OpenAPI 3.1.
public struct OpenAPI: Sendable {
    /// An event the service sends to its users' own servers, for the section `webhooks`.
    public struct Webhook: Sendable {
        public let name: String
        public let summary: String
        /// Of the member `data`.
        public let data: Schema
        public let example: JSON

        public init(_ name: String, _ summary: String, data: Schema, example: JSON) {
            self.name = name
            self.summary = summary
            self.data = data
            self.example = example
        }
    }

    private let domains: [DomainRoutes]
    private let routes: [Route]
    private let version: String
    private let webhooks: [Webhook]

    /// The contract of these domains, without a server; throws what would stop one from starting.
    public init(_ domains: [DomainRoutes], version: String) throws(WiringFaults) {
        self.domains = domains
        // What only developers see belongs into no contract.
        routes = try Wiring(domains, isDevelopment: false).checked()
        self.version = version
        webhooks = domains.flatMap(\.webhooks).sorted { $0.name < $1.name }
    }

    public var yaml: String { YAML.text(of: document) }

    public var document: JSON {
        var components = SchemaComponents()
        for route in routes { if let item = route.output.item { _ = components.reference(item, .output) } }
        let paths = paths(&components)
        let hooks = webhooks.map { ($0.name, webhook($0, &components)) }
        var document: JSON.Object = [
            ("openapi", "3.1.0"),
            ("info", info),
            ("servers", [["url": "/", "description": "This server"]]),
            (
                "tags",
                .array(
                    domains.filter(hasRoutes).map {
                        ["name": .string($0.name), "description": .string($0.summary)]
                    })
            ),
            ("paths", paths),
        ]
        if !hooks.isEmpty { document["webhooks"] = .object(JSON.Object(hooks)) }
        document["components"] = .object([
            ("schemas", components.all),
            ("responses", SharedParts.responses),
            ("parameters", SharedParts.parameters),
            ("headers", SharedParts.headers),
            ("securitySchemes", SharedParts.securitySchemes),
        ])
        return .object(document)
    }

    private func hasRoutes(_ domain: DomainRoutes) -> Bool { routes.contains { $0.tag == domain.name } }

    private var info: JSON {
        [
            "title": "Infinity API",
            "version": .string(version),
            "summary": "Marketing for agencies and their clients, many companies on one system.",
            "description": .string(SharedParts.introduction),
        ]
    }

    private func paths(_ components: inout SchemaComponents) -> JSON {
        var paths = JSON.Object()
        let links = OperationLinks(routes: routes)
        for route in routes {
            var item = paths[route.path]?.objectValue ?? JSON.Object()
            item["\(route.method.name)".lowercased()] = OperationWriter(route: route, links: links).operation(
                &components)
            paths[route.path] = .object(item)
        }
        return .object(paths)
    }

    /// Standard Webhooks: the type, when it happened, and what.
    private func webhook(_ webhook: Webhook, _ components: inout SchemaComponents) -> JSON {
        let schema: JSON = [
            "type": "object",
            "properties": [
                "type": ["type": "string", "const": .string(webhook.name)],
                "timestamp": ["type": "string", "format": "date-time"],
                "data": components.reference(webhook.data, .output),
            ],
            "required": ["type", "timestamp", "data"],
        ]
        let example: JSON = [
            "type": .string(webhook.name), "timestamp": "2026-11-24T09:30:00.000000Z",
            "data": webhook.example,
        ]
        return [
            "post": [
                "operationId": .string(
                    "on"
                        + webhook.name.split(whereSeparator: { !$0.isLetter }).map(\.capitalizedFirst)
                        .joined()),
                "tags": ["Webhooks"],
                "summary": .string(webhook.summary),
                "parameters": .array(
                    ["webhook-id", "webhook-timestamp", "webhook-signature"].map(signedHeader)),
                "requestBody": [
                    "required": true,
                    "content": ["application/json": ["schema": schema, "example": example]],
                ],
                "responses": [
                    "2XX": ["description": "Taken."],
                    "410": ["description": "Gone for good: the endpoint is switched off."],
                    "default": ["description": "Tried again later."],
                ],
            ]
        ]
    }

    private func signedHeader(_ name: String) -> JSON {
        ["name": .string(name), "in": "header", "required": true, "schema": ["type": "string"]]
    }
}

extension Substring {
    var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}

extension JSON.Object: ExpressibleByArrayLiteral {
    public init(arrayLiteral members: (String, JSON)...) { self.init(members) }

    public init(_ members: [(String, JSON)]) {
        self.init()
        for (key, value) in members { self[key] = value }
    }
}
