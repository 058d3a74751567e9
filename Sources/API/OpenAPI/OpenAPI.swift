import HTTP
import Wire

/// The contract, written from the same declarations that route and check: OpenAPI 3.1.
public struct OpenAPI: Sendable {
    /// An event the service sends to its users' own servers, for the section `webhooks`.
    public struct Webhook: Sendable {
        public let name: String
        public let summary: String
        public let payload: Schema

        public init(_ name: String, _ summary: String, payload: Schema) {
            self.name = name
            self.summary = summary
            self.payload = payload
        }
    }

    private let domains: [DomainRoutes]
    private let routes: [Route]
    private let version: String
    private let webhooks: [Webhook]

    /// The contract of these domains, without a server; throws what would stop one from starting.
    public init(_ domains: [DomainRoutes], version: String, webhooks: [Webhook] = []) throws(WiringFaults) {
        self.domains = domains
        // What only developers see belongs into no contract.
        routes = try Wiring(domains, isDevelopment: false).checked()
        self.version = version
        self.webhooks = webhooks
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
            ("tags", .array(domains.filter(hasRoutes).map { ["name": .string($0.name), "description": .string($0.summary)] })),
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
        for route in routes {
            var item = paths[route.path]?.objectValue ?? JSON.Object()
            item["\(route.method.name)".lowercased()] = OperationWriter(route: route).operation(&components)
            paths[route.path] = .object(item)
        }
        return .object(paths)
    }

    private func webhook(_ webhook: Webhook, _ components: inout SchemaComponents) -> JSON {
        [
            "post": [
                "operationId": .string("on" + webhook.name.split(whereSeparator: { !$0.isLetter }).map(\.capitalizedFirst).joined()),
                "summary": .string(webhook.summary),
                "requestBody": [
                    "required": true,
                    "content": ["application/json": ["schema": components.reference(webhook.payload, .output)]],
                ],
                "responses": ["2XX": ["description": "Taken; anything else is tried again."]],
            ]
        ]
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
