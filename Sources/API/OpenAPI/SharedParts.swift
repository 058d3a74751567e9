import Wire

/// What many operations have in common and refer to.
enum SharedParts {
    static func parameter(_ name: String) -> JSON { ["$ref": .string("#/components/parameters/\(name)")] }
    static func header(_ name: String) -> JSON { ["$ref": .string("#/components/headers/\(name)")] }
    static func response(_ status: Int) -> JSON {
        ["$ref": .string("#/components/responses/Status\(status)")]
    }

    static let introduction = """
        One set of rules for every endpoint:

        - **Sign in** with `Authorization: Bearer …`: an access token from `POST /v1/auth/login`, or an API key. The \
        token names the company it is for; what belongs to another company does not exist for it.
        - **Errors** are `application/problem+json` (RFC 9457) with a stable `code`, the `request_id` and, where the \
        request itself is at fault, `errors` with the place of each fault. All codes stand at `/docs/errors`. \
        Beside those listed with an operation, any request can meet 405, 408, 414, 431, 501 and 505, as HTTP has them.
        - **Lists** take `limit`, `cursor`, `sort` and filters, and answer `{"data": […], "page": {"next_cursor", \
        "has_more"}}` with `Link: rel="next"`. Follow the cursor as it is. `fields=a,b` leaves out all other fields.
        - **Changes** by PATCH are merge patches (RFC 7396). Every single resource carries an `ETag`; send it in \
        `If-Match` and a change that would overwrite another's is refused with 412.
        - **Repeating** a POST is safe with the same `Idempotency-Key`: within 24 hours the first answer comes back.
        - **Names** are snake_case, times RFC 3339 in UTC, money whole numbers of the smallest unit with an ISO 4217 \
        currency, identifiers UUIDs. Unknown fields and parameters are refused, with the near miss named.
        """

    static let parameters: JSON = [
        "Limit": [
            "name": "limit", "in": "query", "description": "How many items a page has.",
            "schema": [
                "type": "integer", "minimum": 1, "maximum": JSON(InputLimits.pageMax),
                "default": JSON(InputLimits.pageDefault),
            ],
        ],
        "Cursor": [
            "name": "cursor", "in": "query",
            "description":
                "`page.next_cursor` of the page before, as it was given; only with the same filter and sort.",
            "schema": [
                "type": "string", "maxLength": JSON(InputLimits.cursorLengthMax),
                "pattern": "^[A-Za-z0-9_-]+$",
            ],
        ],
        "Count": [
            "name": "count", "in": "query",
            "description": .string(
                "`estimated` adds `page.estimated_total`, counted up to \(InputLimits.countMax)."),
            "schema": ["type": "string", "enum": ["estimated"]],
        ],
        "IdempotencyKey": key(isRequired: false),
        "IdempotencyKeyRequired": key(isRequired: true),
        "IfMatch": version(isRequired: false),
        "IfMatchRequired": version(isRequired: true),
        "IfNoneMatch": [
            "name": "If-None-Match", "in": "header",
            "description": "The `ETag` you have; 304 when it still holds.",
            "schema": ["type": "string", "examples": ["\"3\""]],
        ],
    ]

    private static func key(isRequired: Bool) -> JSON {
        [
            "name": "Idempotency-Key", "in": "header", "required": .bool(isRequired),
            "description": "A fresh UUID for each new request; the same one when you repeat it.",
            "schema": [
                "type": "string", "minLength": 1, "maxLength": JSON(InputLimits.idempotencyKeyLengthMax),
                "pattern": #"^("[!#-~]+"|[!#-~]+)$"#, "examples": ["5f0c2b9e-8a53-4d0e-9a86-0e4b4a5c1d77"],
            ],
        ]
    }

    private static func version(isRequired: Bool) -> JSON {
        [
            "name": "If-Match", "in": "header", "required": .bool(isRequired),
            "description": "The `ETag` you have read; 412 when the resource has changed since.",
            "schema": ["type": "string", "pattern": #"^(\*|(W/)?"[!#-~]*")$"#, "examples": ["\"3\""]],
        ]
    }

    static let headers: JSON = [
        "ETag": text("The version of the resource, for `If-Match` and `If-None-Match`.", "\"3\""),
        "Location": text("Where the resource is.", "/v1/teams/01939d2c-7f4e-7a61-9c0b-5f2f0d9b3c11"),
        "Link": text(
            "The next page, with `rel=\"next\"`; absent on the last.", "</v1/teams?cursor=…>; rel=\"next\""),
        "RequestId": text(
            "The id under which our log knows the request; yours, when you sent one.",
            "01939d2c-7f4e-7a61-9c0b-5f2f0d9b3c11"),
        "RateLimit": text(
            "What is left (`r`) and in how many seconds all is there again (`t`).", "\"default\";r=599;t=1"),
        "RetryAfter": [
            "description": "Seconds to wait before the next try.",
            "schema": ["type": "integer", "examples": [12]],
        ],
        "WWWAuthenticate": text(
            "How to sign in, and what was wrong with the token (RFC 6750).", "Bearer error=\"invalid_token\""),
        "IdempotencyReplayed": [
            "description": "`true` when this is the kept answer to an earlier request with the same key.",
            "schema": ["type": "string", "enum": ["true"]],
        ],
    ]

    private static func text(_ description: String, _ example: String) -> JSON {
        ["description": .string(description), "schema": ["type": "string", "examples": [.string(example)]]]
    }

    static let securitySchemes: JSON = [
        "bearer": [
            "type": "http", "scheme": "bearer",
            "description":
                "An access token (`access_token` of `POST /v1/auth/login`) or an API key (`inf_live_…`).",
        ],
        "cookie": [
            "type": "apiKey", "in": "cookie", "name": "infinity_access",
            "description": "Browsers that logged in with cookies; changes also need `X-CSRF-Token`.",
        ],
    ]

    static let pageSchema: JSON = [
        "type": "object",
        "properties": [
            "next_cursor": [
                "type": ["string", "null"], "description": "For `cursor`; null on the last page.",
            ],
            "has_more": ["type": "boolean"],
            "estimated_total": ["type": "integer", "description": "With `count=estimated` only."],
        ],
        "required": ["next_cursor", "has_more"],
    ]

    static let problemSchema: JSON = [
        "type": "object",
        "description": "What went wrong (RFC 9457).",
        "properties": [
            "type": [
                "type": "string", "format": "uri-reference",
                "description": "The page about this kind of problem.",
            ],
            "title": ["type": "string"],
            "status": ["type": "integer"],
            "detail": ["type": "string", "description": "About this very case."],
            "instance": ["type": "string", "format": "uri-reference"],
            "code": ["type": "string", "description": "Stable; decide by this."],
            "request_id": ["type": "string"],
            "errors": [
                "type": "array",
                "items": [
                    "type": "object",
                    "properties": [
                        "pointer": ["type": "string", "description": "JSON Pointer into the body."],
                        "parameter": [
                            "type": "string", "description": "Of the query, the path or a header.",
                        ],
                        "code": ["type": "string"],
                        "detail": ["type": "string"],
                    ],
                    "required": ["code", "detail"],
                ],
            ],
        ],
        "required": ["type", "title", "status", "code"],
    ]

    /// One response for each status of the general problems.
    static let responses: JSON = {
        var out = JSON.Object()
        for status in Set(ProblemCode.general.map(\.status)).sorted() {
            let codes = ProblemCode.general.filter { $0.status == status }
            var response: JSON.Object = [
                (
                    "description",
                    .string(codes.map { "- `\($0.name)`: \($0.title). \($0.advice)" }.joined(separator: "\n"))
                ),
                (
                    "content",
                    [
                        "application/problem+json": [
                            "schema": ["$ref": "#/components/schemas/Problem"],
                            "example": example(of: codes[0]),
                        ]
                    ]
                ),
            ]
            response["headers"] = headersOfRefusal(status)
            out["Status\(status)"] = .object(response)
        }
        return .object(out)
    }()

    /// What else a refusal of that status says beside its problem.
    static func headersOfRefusal(_ status: Int) -> JSON? {
        switch status {
        case 401: ["WWW-Authenticate": header("WWWAuthenticate")]
        case 429, 503: ["Retry-After": header("RetryAfter")]
        default: nil
        }
    }

    static func example(of code: ProblemCode) -> JSON {
        [
            "type": .string("/docs/errors#\(code.name)"), "title": .string(code.title),
            "status": JSON(code.status),
            "code": .string(code.name), "request_id": "01939d2c-7f4e-7a61-9c0b-5f2f0d9b3c11",
        ]
    }
}
