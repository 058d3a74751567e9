import HTTP
import Wire

/// Done, and nothing to say: 204.
public struct NoContent: RouteOutput, Sendable {
    public init() {}
    public static func part() -> OutputPart { OutputPart(status: 204) }
    public func response(to call: Call) -> Response { Response(status: 204) }
}

/// Text as `text/plain`.
public struct PlainText: RouteOutput, Sendable {
    public let text: String
    public init(_ text: String) { self.text = text }
    public static func part() -> OutputPart { OutputPart(status: 200, shape: .media(["text/plain"])) }

    public func response(to call: Call) -> Response {
        var response = Response(status: 200, body: .bytes(Array(text.utf8)))
        response.headers.add("content-type", "text/plain; charset=utf-8" as StaticString)
        return response
    }
}

/// A response made by hand: files, redirects, bodies of other kinds.
public struct Raw: RouteOutput, Sendable {
    public let response: Response
    public init(_ response: Response) { self.response = response }
    public static func part() -> OutputPart {
        OutputPart(status: 200, shape: .media(["application/octet-stream"]))
    }
    public func response(to call: Call) -> Response { response }
}

/// Server-sent events for as long as the client listens.
public struct Events: RouteOutput, Sendable {
    private let produce: @Sendable (EventStream) async throws -> Void

    public init(_ produce: @escaping @Sendable (EventStream) async throws -> Void) { self.produce = produce }

    public static func part() -> OutputPart { OutputPart(status: 200, shape: .media(["text/event-stream"])) }
    public func response(to call: Call) -> Response { Response.eventStream(produce) }
}

/// Server-sent events that come from outside: no task waits while there is nothing to say.
public struct PushedEvents: RouteOutput, Sendable {
    private let host: @Sendable (PushStream) -> Void

    /// - Parameter host: takes the stream on the connection's loop and returns at once.
    public init(_ host: @escaping @Sendable (PushStream) -> Void) { self.host = host }

    public static func part() -> OutputPart { OutputPart(status: 200, shape: .media(["text/event-stream"])) }
    public func response(to call: Call) -> Response { Response.pushedEvents(host) }
}
