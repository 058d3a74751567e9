import API
import Postgres
import Wire

/// A domain as domains are written, for the tests of what they stand on.
enum Boards {
    static let domain = DomainRoutes(
        name: "Boards", summary: "Boards to pin things to.", routes: routes,
        permissions: [.boardsRead, .boardsWrite],
        problems: [.boardNameTaken],
        constraints: [ConstraintProblem("boards_name_key", .boardNameTaken, pointer: "/name")])

    @RouteList static var routes: [Route] {
        GET("/v1/boards", "List boards, newest first", .can(.boardsRead), list)
        POST("/v1/boards", "Put up a board", .can(.boardsWrite), create)
            .problems(.boardNameTaken)
        GET("/v1/boards/{id}", "Show a board", .can(.boardsRead), show)
        PATCH("/v1/boards/{id}", "Change a board", .can(.boardsWrite), change)
        DELETE("/v1/boards/{id}", "Take a board down", .can(.boardsWrite), delete).ifMatch(.accepted)
        GET("/v1/boards/summary", "Count boards by state", .member, summary)
        POST("/v1/boards/{id}/payment", "Pay for a board", .can(.boardsWrite), pay).idempotent(.required)
        POST("/v1/echo", "Say it again", .open, echo).rate(
            RatePolicy("echo", quota: 5, windowSeconds: 60, per: .client))
        GET("/v1/me", "Who am I", .signedIn, me)
        GET("/v1/fault", "Fail", .open, fault)
            .deprecated(
                since: LocalDate(year: 2026, month: 1, day: 1)!,
                sunset: LocalDate(year: 2027, month: 1, day: 1)!, see: "/docs")
        POST("/v1/form", "Send a form", .open, form)
    }

    static func list(_ call: Call, _ list: List<BoardFilter>) async throws -> Page<Board> {
        try await call.page(
            list, "SELECT \(unescaped: columns) FROM boards WHERE company_id = \(call.company)")
    }

    static func create(_ call: Call, _ body: Body<NewBoard>) async throws -> Created<Board> {
        try Created(
            await call.db.query(
                """
                INSERT INTO boards (company_id, id, name, note, state, price_cents, tags)
                VALUES (\(call.company), \(UUID.v7()), \(body.name), \(body.note), \(body.state ?? .open),
                        \(body.priceCents), \(body.tags?.items.map(\.text) ?? []))
                RETURNING \(unescaped: columns)
                """))
    }

    static func show(_ call: Call, _ id: Path<UUID>, _ expand: Expand<Board>) async throws -> Single<Board> {
        try await call.one(
            expand,
            "SELECT \(unescaped: columns) FROM boards WHERE company_id = \(call.company) AND id = \(id)")
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<BoardChange>) async throws -> Single<
        Board
    > {
        var changes = Changes()
        changes.set("name", body.name)
        changes.set("note", body.note)
        changes.set("state", body.state)
        return try Single(
            await call.change(
                """
                UPDATE boards SET \(fragment: changes.sql)
                WHERE company_id = \(call.company) AND id = \(id) AND \(fragment: call.versionMatches())
                RETURNING \(unescaped: columns)
                """,
                exists: "SELECT 1 FROM boards WHERE company_id = \(call.company) AND id = \(id)"))
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        _ = try await call.change(
            "DELETE FROM boards WHERE company_id = \(call.company) AND id = \(id) AND \(fragment: call.versionMatches())",
            exists: "SELECT 1 FROM boards WHERE company_id = \(call.company) AND id = \(id)")
        return NoContent()
    }

    static func summary(_ call: Call) async throws -> Page<BoardCount> {
        Page(
            all: try await call.db.query(
                """
                SELECT state, count(*) AS boards FROM boards WHERE company_id = \(call.company)
                GROUP BY state ORDER BY state
                """))
    }

    static func pay(_ call: Call, _ id: Path<UUID>) async throws -> Single<Board> {
        try await call.db.transaction { tx in
            try Single(
                await tx.query(
                    """
                    UPDATE boards SET price_cents = price_cents + 1, version = version + 1
                    WHERE company_id = \(call.company) AND id = \(id) RETURNING \(unescaped: columns)
                    """))
        }
    }

    static func echo(_ call: Call, _ body: Body<Words>) async throws -> Single<Words> { Single(body.value) }

    static func form(_ call: Call, _ body: Form<BoardFields>) async throws -> Single<Words> {
        Single(Words(lines: [Words.Line(text: body.name, by: nil)]))
    }

    static func me(_ call: Call) async throws -> Single<Me> { Single(Me(userId: try call.user)) }

    static func fault(_ call: Call) async throws -> NoContent { throw Oops() }

    static let columns = "id, name, note, state, price_cents, tags, version, created_at"
}

struct Oops: Error {}

struct Board: Codable, Sendable {
    var id: UUID
    var name: String
    var note: String?
    var state: BoardState
    var priceCents: Int64
    var tags: [String]
    var version: Int
    var createdAt: Timestamp
    var ofItsState: Expanded<BoardCount>?
}

extension Board: Expandable {
    static func expansion(_ name: String, company: UUID) -> SQL {
        """
        SELECT json_build_object('state', row.state, 'boards', count(*)) FROM boards b
         WHERE b.company_id = \(company) AND b.state = row.state
        """
    }
}

enum BoardState: String, Codable, CaseIterable, SQLBindable { case open, closed, onHold = "on_hold" }

struct NewBoard: Codable, Sendable {
    var name: Text<40>
    var note: Prose<200>?
    var state: BoardState?
    var priceCents: Cents
    var tags: UpTo<3, Text<10>>?
}

struct BoardChange: Codable, Sendable {
    var name: Text<40>?
    var note: Clearable<Prose<200>>
    var state: BoardState?
}

struct BoardFilter: ListFilter {
    var state: [BoardState]?
    var createdAt: Bounds<Timestamp>?
    var priceCents: Int?
    static var sorts: [String] { ["-created_at", "name", "price_cents"] }
    static var search: [String] { ["name", "note"] }
}

struct BoardCount: Codable, Sendable { var state: BoardState; var boards: Int }
struct BoardFields: Codable, Sendable { var name: Text<20>; var count: Int? }
struct Me: Codable, Sendable { var userId: UUID }

struct Words: Codable, Sendable {
    struct Line: Codable, Sendable { var text: Text<20>; var by: Email? }
    var lines: [Line]
    var amounts: [String: Int]?
    var on: LocalDate?
    var extra: JSON?
}

extension Permission {
    static let boardsRead = Permission(
        "boards:read", "See boards", [.owner, .admin, .manager, .member, .viewer])
    static let boardsWrite = Permission("boards:write", "Put up and change boards", [.owner, .admin])
}

extension ProblemCode {
    static let boardNameTaken = ProblemCode(
        "board-name-taken", 409, "Another board has this name", advice: "Choose another name.")
}
