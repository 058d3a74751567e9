import HTTP
import Wire

/// Writes one route as an operation of the document.
struct OperationWriter {
    let route: Route
    let links: OperationLinks

    func operation(_ components: inout SchemaComponents) -> JSON {
        var out: JSON.Object = [
            ("operationId", .string(route.operationId ?? "")),
            ("tags", [.string(route.tag)]),
            ("summary", .string(route.summary)),
        ]
        out["description"] = .string(description)
        if route.deprecation != nil { out["deprecated"] = true }
        let parameters = parameters(&components)
        if !parameters.isEmpty { out["parameters"] = .array(parameters) }
        out["requestBody"] = requestBody(&components)
        out["responses"] = .object(responses(&components))
        out["security"] = security
        if case .can(let permission) = route.access { out["x-permission"] = .string(permission.name) }
        if route.rate.quota > 0 { out["x-rate-limit-policy"] = .string(route.rate.name) }
        out["x-codeSamples"] = CodeSamples(route: route).all
        return .object(out)
    }

    private var description: String {
        var parts: [String] = []
        if let details = route.details { parts.append(details) }
        switch route.access {
        case .open: parts.append("Open to everybody, without a token.")
        case .signedIn: parts.append("For any user who is logged in.")
        case .member: parts.append("For any member of the token's company.")
        case .operator: parts.append("For the operators of the installation.")
        case .can(let permission):
            parts.append("Needs the permission `\(permission.name)` (\(permission.summary)).")
        }
        if route.idempotency == .required { parts.append("An `Idempotency-Key` is required.") }
        if route.requiresIfMatch { parts.append("`If-Match` is required.") }
        return parts.joined(separator: "\n\n")
    }

    private var security: JSON {
        if case .open = route.access { return [] }
        return [["bearer": []], ["cookie": []]]
    }

    // MARK: what goes in

    private func parameters(_ components: inout SchemaComponents) -> [JSON] {
        var out: [JSON] = []
        var names = (try? PathTemplate(route.path))?.parameters[...] ?? []
        for input in route.inputs {
            switch input {
            case .path(let schema):
                guard let name = names.popFirst() else { continue }
                out.append(parameter(name, in: "path", Self.segment(schema), isRequired: true, &components))
            case .query(let shape): out += query(shape, &components)
            case .list(let shape):
                out += query(shape.filter, &components)
                out += list(shape)
            case .body, .patch, .form, .stream: break
            }
        }
        if route.method == .post, route.idempotency != .none {
            out.append(
                SharedParts.parameter(
                    route.idempotency == .required ? "IdempotencyKeyRequired" : "IdempotencyKey"))
        }
        if route.mayBeUnchanged { out.append(SharedParts.parameter("IfNoneMatch")) }
        if route.honoursIfMatch {
            out.append(SharedParts.parameter(route.requiresIfMatch ? "IfMatchRequired" : "IfMatch"))
        }
        return out
    }

    /// A text in a path is a whole segment of it: what HTTP does not let stand there needs no route to refuse it.
    private static func segment(_ schema: Schema) -> Schema {
        guard case .text(var rule) = schema.kind, rule.format == nil, rule.pattern == nil, rule.values == nil
        else {
            return schema
        }
        rule.pattern =
            #"^[^\u0000-\u001f\u007f-\u009f/\\]*[^\u0000-\u001f\u007f-\u009f/\\.][^\u0000-\u001f\u007f-\u009f/\\]*$"#
        var segment = schema
        segment.kind = .text(rule)
        return segment
    }

    private func query(_ shape: ObjectSchema, _ components: inout SchemaComponents) -> [JSON] {
        shape.properties.flatMap { property -> [JSON] in
            guard case .object(let bounds) = property.schema.kind else {
                return [
                    parameter(
                        property.name, in: "query", property.schema, isRequired: property.isRequired,
                        &components)
                ]
            }
            return bounds.properties.map { bound in
                parameter(
                    "\(property.name)[\(bound.name)]", in: "query", bound.schema, isRequired: false,
                    &components)
            }
        }
    }

    private func parameter(
        _ name: String, in place: JSON, _ schema: Schema, isRequired: Bool,
        _ components: inout SchemaComponents
    ) -> JSON {
        var plain = schema
        plain.isNullable = false
        plain.note = nil
        var out: JSON.Object = [("name", .string(name)), ("in", place)]
        if isRequired { out["required"] = true }
        out["description"] = schema.note.map(JSON.string)
        if case .array = schema.kind {
            out["style"] = "form"
            out["explode"] = false
        }
        if case .map = schema.kind {
            out["style"] = "deepObject"
            out["explode"] = true
        }
        out["schema"] = components.reference(plain, .input)
        return .object(out)
    }

    private func list(_ shape: ListShape) -> [JSON] {
        let columns = shape.sorts.map(\.column) + (shape.sorts.contains { $0.column == "id" } ? [] : ["id"])
        let sort: JSON = [
            "name": "sort", "in": "query", "style": "form", "explode": false,
            "description": .string(
                "Order of the list; `-` in front for falling. Without it: `\(shape.sorts[0].text)`."),
            "schema": [
                "type": "array", "minItems": 1, "maxItems": 3,
                "items": [
                    "type": "string", "enum": .array(columns.flatMap { [.string($0), .string("-\($0)")] }),
                ],
            ],
        ]
        let search: [JSON] =
            shape.search.isEmpty
            ? []
            : [
                [
                    "name": "q", "in": "query",
                    "description": .string("Text to look for in \(shape.search.joined(separator: ", "))."),
                    "schema": ["type": "string", "maxLength": JSON(InputLimits.searchLengthMax)],
                ]
            ]
        return [sort] + search + fields + expand + ["Limit", "Cursor", "Count"].map(SharedParts.parameter)
    }

    private var fields: [JSON] {
        guard case .page(let item) = route.output.shape, case .object(let object) = item.kind else {
            return []
        }
        return [
            [
                "name": "fields", "in": "query", "style": "form", "explode": false,
                "description":
                    "Print only these fields of each item; the answer's schema is that of all of them.",
                "schema": [
                    "type": "array", "minItems": 1,
                    "items": [
                        "type": "string",
                        "enum": .array(object.properties.filter { !$0.isExpansion }.map { .string($0.name) }),
                    ],
                ],
            ]
        ]
    }

    private var expand: [JSON] {
        guard case .page(let item) = route.output.shape, case .object(let object) = item.kind else {
            return []
        }
        let names = object.properties.filter(\.isExpansion).map { JSON.string($0.name) }
        if names.isEmpty { return [] }
        return [
            [
                "name": "expand", "in": "query", "style": "form", "explode": false,
                "description": "Print these whole beside their ids.",
                "schema": [
                    "type": "array", "minItems": 1, "items": ["type": "string", "enum": .array(names)],
                ],
            ]
        ]
    }

    private func requestBody(_ components: inout SchemaComponents) -> JSON? {
        for input in route.inputs {
            switch input {
            case .body(let schema):
                return body(["application/json"], schema, .input, &components)
            case .patch(let schema):
                // `application/merge-patch+json` is taken too. Said here, it would give generated clients every body twice.
                return body(["application/json"], schema, .patch, &components)
            case .form(let shape):
                return body(
                    ["application/x-www-form-urlencoded"], Schema(.object(shape)), .input, &components)
            case .stream(let mediaType):
                let media: JSON =
                    mediaType == "multipart/form-data"
                    ? ["schema": Self.fileForm] : ["schema": ["type": "string", "format": "binary"]]
                return ["required": true, "content": .object([(mediaType, media)])]
            case .path, .query, .list: break
            }
        }
        return nil
    }

    private func body(
        _ mediaTypes: [String], _ schema: Schema, _ role: SchemaRole, _ components: inout SchemaComponents
    ) -> JSON {
        let media: JSON = [
            "schema": components.reference(schema, role), "example": route.exampleBody ?? .null,
        ]
        return ["required": true, "content": .object(JSON.Object(mediaTypes.map { ($0, media) }))]
    }

    // MARK: what comes out

    private func responses(_ components: inout SchemaComponents) -> JSON.Object {
        var out: JSON.Object = [(String(route.output.status), success(&components))]
        if route.mayBeUnchanged {
            out["304"] = ["description": "You have this version already."]
        }
        for status in refusals { out[String(status)] = refusal(status) }
        return out
    }

    private func success(_ components: inout SchemaComponents) -> JSON {
        var headers = JSON.Object()
        if route.output.hasLocation { headers["Location"] = SharedParts.header("Location") }
        if route.output.hasVersion || route.mayBeUnchanged { headers["ETag"] = SharedParts.header("ETag") }
        if case .page = route.output.shape { headers["Link"] = SharedParts.header("Link") }
        if route.method == .post, route.idempotency != .none {
            headers["Idempotency-Replayed"] = SharedParts.header("IdempotencyReplayed")
        }
        headers["X-Request-Id"] = SharedParts.header("RequestId")
        if route.rate.quota > 0 { headers["RateLimit"] = SharedParts.header("RateLimit") }
        var out: JSON.Object = [("description", .string(successText)), ("headers", .object(headers))]
        switch route.output.shape {
        case .empty: break
        case .single(let schema):
            out["content"] = [
                "application/json": [
                    "schema": components.reference(schema, .output), "example": route.exampleAnswer ?? .null,
                ]
            ]
        case .page(let item):
            out["content"] = [
                "application/json": [
                    "schema": components.page(of: item), "example": route.exampleAnswer ?? .null,
                ]
            ]
        case .media(let types):
            out["content"] = .object(JSON.Object(types.map { ($0, Self.media($0)) }))
        }
        out["links"] = links.links(from: route)
        return .object(out)
    }

    /// A form that brings a file; what else it may have, the route describes.
    private static let fileForm: JSON = [
        "type": "object", "required": ["file"],
        "properties": ["file": ["type": "string", "format": "binary"]], "additionalProperties": false,
    ]

    private static func media(_ type: String) -> JSON {
        // Each event of a stream has data of its own; the schema of a string would be taken for theirs.
        type == "text/event-stream" ? [:] : ["schema": ["type": type.hasSuffix("json") ? "object" : "string"]]
    }

    private var successText: String {
        switch route.output.status {
        case 201: "It has been made."
        case 202: "It has been taken on and goes on behind this answer."
        case 204: "Done."
        default: "The answer."
        }
    }

    /// The statuses of problems this route can answer with.
    private var refusals: [Int] {
        var out: Set<Int> = [400, 414, 500, 503]
        if route.access != .open { out.formUnion([401, 403]) }
        if route.path.contains("{") || route.namesOthers { out.insert(404) }
        if case .media = route.output.shape {} else { out.insert(406) }
        if route.readsBody { out.formUnion([413, 415, 422]) }
        if !route.inputs.isEmpty { out.insert(422) }
        if route.method == .post, route.idempotency != .none { out.formUnion([409, 422]) }
        if route.honoursIfMatch { out.insert(412) }
        if route.requiresIfMatch { out.insert(428) }
        if route.rate.quota > 0 { out.insert(429) }
        out.formUnion(route.problems.map(\.status))
        return out.sorted()
    }

    private func refusal(_ status: Int) -> JSON {
        let own = route.problems.filter { $0.status == status }
        guard !own.isEmpty else { return SharedParts.response(status) }
        let general = ProblemCode.general.filter {
            $0.status == status && refusalIsPossible($0) && !own.contains($0)
        }
        let lines = (own + general).map { "- `\($0.name)`: \($0.title). \($0.advice)" }
        var response: JSON.Object = [
            ("description", .string(lines.joined(separator: "\n"))),
            (
                "content",
                [
                    "application/problem+json": [
                        "schema": ["$ref": "#/components/schemas/Problem"],
                        "examples": .object(
                            JSON.Object(own.map { ($0.name, ["value": SharedParts.example(of: $0)]) })),
                    ]
                ]
            ),
        ]
        response["headers"] = SharedParts.headersOfRefusal(status)
        return .object(response)
    }

    private func refusalIsPossible(_ code: ProblemCode) -> Bool {
        switch code {
        case .requestInFlight, .idempotencyKeyReused: route.method == .post && route.idempotency != .none
        case .idempotencyKeyRequired: route.idempotency == .required
        case .invalidCursor: route.inputs.contains { if case .list = $0 { true } else { false } }
        default: true
        }
    }
}

extension Route {
    /// The body or the query names something by its id, which may not be there.
    fileprivate var namesOthers: Bool {
        inputs.contains { input in
            switch input {
            case .query(let shape): shape.properties.contains { $0.schema.isIdentifier }
            case .body(let schema), .patch(let schema):
                if case .object(let object) = schema.kind {
                    object.properties.contains { $0.schema.isIdentifier }
                } else {
                    false
                }
            case .path, .list, .form, .stream: false
            }
        }
    }
}

extension Schema {
    fileprivate var isIdentifier: Bool {
        switch kind {
        case .text(let rule): rule.format == "uuid"
        case .array(let element, _): element.isIdentifier
        default: false
        }
    }
}
