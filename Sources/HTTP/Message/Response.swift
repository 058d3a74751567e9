import Wire

/// An answer: status, fields and body. The server adds Date, the framing and Connection.
public struct Response: Sendable {
    public enum Body: Sendable {
        case empty
        /// Handed over: the writer must not be touched afterwards.
        case buffer(ByteWriter)
        case bytes([UInt8])
        case file(FileBody)
        case stream(StreamBody)
    }

    public var status: Int
    public var headers: ResponseHeaders
    public var body: Body

    public init(status: Int, headers: ResponseHeaders = ResponseHeaders(), body: Body = .empty) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// An answer written piece by piece; writing waits while the client is slow to read.
    ///
    /// - Parameter length: of all that will be written, when it is known; otherwise the body is chunked.
    public static func stream(
        status: Int = 200, headers: ResponseHeaders = ResponseHeaders(), length: Int? = nil,
        _ produce: @escaping @Sendable (BodyWriter) async throws -> Void
    ) -> Response {
        Response(
            status: status, headers: headers,
            body: .stream(StreamBody(length: length, isEventStream: false, making: .produced(produce))))
    }

    /// Server-sent events (the WHATWG event stream): kept alive by comments, told goodbye when the server drains.
    public static func eventStream(
        headers: ResponseHeaders = ResponseHeaders(),
        _ produce: @escaping @Sendable (EventStream) async throws -> Void
    ) -> Response {
        let produced: @Sendable (BodyWriter) async throws -> Void = { out in
            guard let loop = out.loop else { throw ClientGone() }
            let events = EventStream(out, pingEvery: out.pingEvery, loop: loop)
            defer { events.end() }
            do { try await produce(events) } catch  where out.isDraining && error is CancellationError {}
            if out.isDraining {
                try await events.send(event: "goodbye", retryMilliseconds: 1000, data: "draining")
            }
        }
        return events(headers, .produced(produced))
    }

    /// Server-sent events that are pushed from outside: `host` takes the stream on the connection's loop and returns.
    public static func pushedEvents(
        headers: ResponseHeaders = ResponseHeaders(), _ host: @escaping @Sendable (PushStream) -> Void
    ) -> Response { events(headers, .pushed(host)) }

    private static func events(_ given: ResponseHeaders, _ making: StreamBody.Making) -> Response {
        var headers = given
        headers.add("content-type", "text/event-stream; charset=utf-8")
        if !headers.contains("cache-control") { headers.add("cache-control", "no-store") }
        // nginx buffers answers unless told not to.
        headers.add("x-accel-buffering", "no")
        let body = StreamBody(length: nil, isEventStream: true, making: making)
        return Response(status: 200, headers: headers, body: .stream(body))
    }
}

/// A body that is written while it is sent.
public struct StreamBody: Sendable {
    enum Making: Sendable {
        /// By a task that writes it.
        case produced(@Sendable (BodyWriter) async throws -> Void)
        /// From outside, by whoever is handed the stream.
        case pushed(@Sendable (PushStream) -> Void)
    }

    let length: Int?
    let isEventStream: Bool
    let making: Making
}
