import API
import App
import TestSupport
import Testing
import Wire

/// What holds for every route because it is declared: a new route is tested here without a line written for it.
@Suite struct EveryRouteTests {
    private static let routes = Instance.routes.flatMap { $0.routes }

    @Test(arguments: routes.filter { $0.access != .open }.map(Case.init))
    func `without a token it answers 401`(_ one: Case) async throws {
        let world = try await World.shared()
        let answer = try await world.ask(one.route, token: nil)
        #expect(answer.status == 401, "\(answer)")
        #expect(answer.header("www-authenticate")?.hasPrefix("Bearer") == true)
    }

    @Test(arguments: routes.filter { $0.access != .open }.map(Case.init))
    func `with a forged token it answers 401`(_ one: Case) async throws {
        let world = try await World.shared()
        let answer = try await world.ask(one.route, token: world.ownerToken.forged)
        #expect(answer.status == 401, "\(answer)")
    }

    @Test(arguments: routes.filter { $0.permission != nil }.map(Case.init))
    func `without the permission it answers 403 and names it`(_ one: Case) async throws {
        let world = try await World.shared()
        let permission = try #require(one.route.permission)
        let answer = try await world.ask(one.route, token: try await world.token(lacking: permission))
        #expect(answer.status == 403, "\(answer)")
        #expect(answer.text.contains(permission.name), "\(answer)")
    }

    @Test(arguments: routes.filter { $0.access == .operator }.map(Case.init))
    func `what is for operators answers anybody else 403`(_ one: Case) async throws {
        let world = try await World.shared()
        let answer = try await world.ask(one.route, token: world.ownerToken.text)
        #expect(answer.status == 403, "\(answer)")
    }

    @Test(arguments: routes.filter(\.isOfCompany).map(Case.init))
    func `without a company it answers 403`(_ one: Case) async throws {
        let world = try await World.shared()
        let answer = try await world.ask(one.route, token: world.homelessToken)
        #expect(answer.status == 403, "\(answer)")
    }

    @Test(arguments: routes.filter { $0.isOfCompany && $0.takesIdentifier }.map(Case.init))
    func `an identifier nobody has is 404`(_ one: Case) async throws {
        let world = try await World.shared()
        let answer = try await world.ask(one.route, token: world.ownerToken.text)
        #expect(answer.status == 404, "\(answer)")
    }

    @Test(arguments: routes.filter { $0.isOfCompany && $0.takesIdentifier }.map(Case.init))
    func `another company's identifier is 404`(_ one: Case) async throws {
        let world = try await World.shared()
        for id in try await world.neighbourIdentifiers() {
            let answer = try await world.ask(one.route, token: world.ownerToken.text, identifier: id)
            #expect(answer.status == 404, "\(one.route.path) with \(id): \(answer)")
        }
    }

    @Test(arguments: routes.filter(\.takesJSON).map(Case.init))
    func `a body with a foreign field, of the wrong type or broken is refused in place`(_ one: Case)
        async throws
    {
        let world = try await World.shared()
        let foreign = try await world.ask(
            one.route, token: world.token(for: one.route), body: #"{"no_such_field": 1}"#)
        #expect([400, 422].contains(foreign.status), "\(foreign)")
        #expect(
            foreign.json["errors"]?.arrayValue?.contains { $0["pointer"] == "/no_such_field" } == true,
            "\(foreign)")
        let list = try await world.ask(one.route, token: world.token(for: one.route), body: "[1]")
        #expect([400, 422].contains(list.status), "\(list)")
        for broken in [
            #"{"a": "#, #"{"a":1,"a":2}"#, "{\"a\":\"\\u0000\"}", "{\"a\":\"\\ud800\"}", "nonsense",
        ] {
            let answer = try await world.ask(one.route, token: world.token(for: one.route), body: broken)
            #expect(answer.status == 400, "\(broken): \(answer)")
        }
    }

    @Test(
        arguments: routes.filter { route in
            route.inputs.contains { if case .list = $0 { true } else { false } }
        }.map(Case.init))
    func `a list knows its bounds and refuses unknown parameters`(_ one: Case) async throws {
        let world = try await World.shared()
        for query in ["limit=0", "limit=101", "limit=x", "cursor=forged", "sort=no_such_column", "no_such=1"]
        {
            let answer = try await world.ask(one.route, token: world.token(for: one.route), query: query)
            #expect([400, 404, 422].contains(answer.status), "\(query): \(answer)")
        }
    }

    @Test func `every answer carries the house's fields`() async throws {
        let world = try await World.shared()
        for path in ["/livez", "/v1/no-such-place", "/v1/auth/me"] {
            let answer = try await world.server.client.with(header: "X-Request-Id", "abc-123").get(path)
            #expect(answer.header("x-content-type-options") == "nosniff", "\(path)")
            #expect(answer.header("x-request-id") == "abc-123", "\(path)")
            #expect(answer.header("cache-control") != nil, "\(path)")
        }
    }
}

/// A route as the argument of a test, named in its report.
struct Case: Sendable, CustomTestStringConvertible {
    let route: Route
    var testDescription: String { "\(route.method.name) \(route.path)" }
}

extension Route {
    var permission: Permission? { if case .can(let permission) = access { permission } else { nil } }

    /// It works on what belongs to the company of the token.
    var isOfCompany: Bool {
        switch access {
        case .member, .can: true
        case .open, .signedIn, .operator: false
        }
    }

    var takesIdentifier: Bool {
        inputs.contains { part in
            guard case .path(let schema) = part, case .text(let rule) = schema.kind else { return false }
            return rule.format == "uuid"
        }
    }

    /// A list that needs nothing but a token.
    var isPlainList: Bool {
        guard case .page = output.shape, !path.contains("{") else { return false }
        return isOfCompany
    }

    var takesJSON: Bool {
        inputs.contains { part in
            switch part {
            case .body, .patch: true
            case .path, .query, .list, .form, .stream: false
            }
        }
    }
}
