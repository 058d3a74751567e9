import API
import HTTP
import Postgres
import Testing
import Wire

@Suite struct ContractTests {
    private let document: JSON

    init() throws { document = try OpenAPI([Boards.domain], version: "1").document }

    private func operation(_ path: String, _ method: String) throws -> JSON {
        try #require(document["paths"]?[path]?[method])
    }

    @Test func `every route is an operation, and the reverse`() throws {
        let operations = try #require(document["paths"]?.objectValue).members.flatMap { path, item in
            (item.objectValue?.members ?? []).map { "\($0.key.uppercased()) \(path)" }
        }
        #expect(Set(operations) == Set(Boards.routes.map { "\($0.method.name) \($0.path)" }))
    }

    @Test func `operations are named by verb and noun`() throws {
        #expect(try operation("/v1/boards", "get")["operationId"] == "listBoards")
        #expect(try operation("/v1/boards", "post")["operationId"] == "createBoard")
        #expect(try operation("/v1/boards/{id}", "get")["operationId"] == "getBoard")
        #expect(try operation("/v1/boards/{id}", "patch")["operationId"] == "updateBoard")
        #expect(try operation("/v1/boards/{id}/payment", "post")["operationId"] == "createBoardPayment")
    }

    @Test func `schemas carry the limits of the types`() throws {
        let schemas = try #require(document["components"]?["schemas"])
        let new = try #require(schemas["NewBoard"])
        #expect(new["required"] == ["name", "price_cents"])
        #expect(new["additionalProperties"] == false)
        #expect(new["properties"]?["name"]?["maxLength"] == 40)
        #expect(new["properties"]?["price_cents"]?["minimum"] == 0)
        #expect(new["properties"]?["tags"]?["maxItems"] == 3)
        #expect(new["properties"]?["state"]?["enum"] == ["open", "closed", "on_hold", nil])
        let change = try #require(schemas["BoardChange"])
        #expect(change["required"] == nil)
        #expect(change["properties"]?["name"]?["type"] == "string")
        #expect(change["properties"]?["note"]?["type"] == ["string", "null"])
        let board = try #require(schemas["Board"])
        #expect(board["required"]?.arrayValue?.count == 8)
        #expect(board["properties"]?["note"]?["type"] == ["string", "null"])
        #expect(board["properties"]?["id"]?["format"] == "uuid")
    }

    @Test func `an operation says what can go wrong and what it needs`() throws {
        let create = try operation("/v1/boards", "post")
        #expect(
            create["responses"]?["409"]?["description"]?.stringValue?.contains("board-name-taken") == true)
        #expect(create["security"] == [["bearer": []], ["cookie": []]])
        #expect(create["x-permission"] == "boards:write")
        #expect(try operation("/v1/echo", "post")["security"] == [])
        #expect(create["x-codeSamples"]?.arrayValue?.count == 3)
        let pay = try operation("/v1/boards/{id}/payment", "post")
        #expect(
            pay["parameters"]?.arrayValue?.contains(["$ref": "#/components/parameters/IdempotencyKeyRequired"]
            ) == true)
    }

    @Test func `every example is one that would be taken`() {
        for route in Boards.routes { #expect(route.exampleFaults == [], "\(route.path)") }
    }

    @Test func `every reference leads somewhere`() throws {
        func check(_ json: JSON) {
            switch json {
            case .array(let items): items.forEach(check)
            case .object(let object):
                if let target = object["$ref"]?.stringValue {
                    let found = target.dropFirst(2).split(separator: "/").reduce(document as JSON?) {
                        $0?[String($1)]
                    }
                    #expect(found != nil, "\(target)")
                }
                object.members.forEach { check($0.value) }
            default: break
            }
        }
        check(document)
    }

    @Test func `YAML quotes what would be read as something else`() {
        let json: JSON = [
            "a": "no", "b": "1.0", "c": "x: y", "d": "x #y", "e": "", "f": "- x", "g": "line\nline", "h": [],
            "i": [:], "200": "plain text",
            "j": ["x", ["k": nil, "l": true], [1, 2]], "m": " lead", "n": "tail\n", "o": "é", "p": "*x",
            "q": "a: \"b\"",
        ]
        #expect(
            YAML.text(of: json) == """
                a: "no"
                b: "1.0"
                c: "x: y"
                d: "x #y"
                e: ""
                f: "- x"
                g: |-
                  line
                  line
                h: []
                i: {}
                "200": plain text
                j:
                  - x
                  - k: null
                    l: true
                  - - 1
                    - 2
                m: " lead"
                "n": "tail\\n"
                o: "é"
                p: "*x"
                q: "a: \\"b\\""

                """)
    }

    @Test func `unsound declarations stop the start, all told at once`() throws {
        @RouteList var routes: [Route] {
            GET("/v1/a/{id}", "One", .open) { (_: Call) in NoContent() }
            GET("/v1/b/{id}", "Two", .open) { (_: Call, _: Path<UUID>) in NoContent() }
            GET("/v1/b/{key}", "Three", .open) { (_: Call, _: Path<String>) in NoContent() }.operation(
                "three")
            GET("/v1/c/", "Four", .open) { (_: Call) in NoContent() }
            GET("/v1/d", "Five", .can(.boardsRead)) { (_: Call) in NoContent() }
            GET("/v1/e", "", .open) { (_: Call) in NoContent() }
            POST("/v1/f", "Seven", .open) { (_: Call, _: Patch<BoardChange>) in NoContent() }
            GET("/v1/g", "Eight", .open) { (_: Call, _: List<ByNote>) in
                Page<Board>(all: try await emptyRows())
            }
            GET("/v1/h", "Nine", .open) { (_: Call) in Single(Node(child: nil)) }
        }
        let nobodys = Permission("nobodys:business", "Nobody may", [])
        let domain = DomainRoutes(
            name: "Broken", summary: "", routes: routes, permissions: [nobodys, nobodys],
            problems: [ProblemCode("conflict", 409, "", advice: "")])
        do throws(WiringFaults) {
            _ = try OpenAPI([domain], version: "1")
            Issue.record("was taken")
        } catch {
            for wanted in [
                "GET /v1/a/{id}: the path has 1 parameters, the handler reads 0",
                "GET /v1/b/{} is declared twice",
                "/v1/c/: a path begins with / and does not end with it",
                "no domain lists the permission boards:read",
                "GET /v1/e: has no summary", "POST /v1/f: a Patch belongs to PATCH",
                "sorts by note, which may be null",
                "Node contains itself", "no built-in role holds the permission nobodys:business",
                "the permission nobodys:business is declared twice", "the problem conflict is declared twice",
            ] { #expect(error.description.contains(wanted), "\(wanted)\n\(error)") }
        }
    }
}

private struct ByNote: ListFilter { static var sorts: [String] { ["note"] } }

private final class Node: Codable, Sendable {
    let child: Node?
    init(child: Node?) { self.child = child }
}

private func emptyRows() async throws -> Rows { throw CancellationError() }
