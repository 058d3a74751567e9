extension HTTPClient {
    public struct Request: Sendable {
        public var method: String
        /// `http://` or `https://`, without a user name, in ASCII: other letters percent-encoded, hosts as `xn--…`.
        public var url: String
        public var headers: [(name: String, value: String)]
        public var body: [UInt8]
        public var deadlines: Deadlines
        /// Of the body after decompression; beyond it the request fails rather than fills the memory.
        public var responseBytesMax: Int
        /// Asks for gzip and undoes it.
        public var acceptsGzip: Bool

        public init(
            _ method: String, _ url: String, headers: [(name: String, value: String)] = [],
            body: [UInt8] = [],
            deadlines: Deadlines = Deadlines(), responseBytesMax: Int = 8 << 20, acceptsGzip: Bool = true
        ) {
            self.method = method
            self.url = url
            self.headers = headers
            self.body = body
            self.deadlines = deadlines
            self.responseBytesMax = responseBytesMax
            self.acceptsGzip = acceptsGzip
        }
    }

    /// How long each stage of a request may take.
    public struct Deadlines: Sendable {
        /// Looking the name up, connecting, and the handshake.
        public var connect: Duration
        /// From the connection to the answer's head, the sending of the request included.
        public var firstByte: Duration
        /// Between two pieces of the body, while its reader waits for one.
        public var idle: Duration
        /// All of it; nil for streams without an end.
        public var total: Duration?

        public init(
            connect: Duration = .seconds(10), firstByte: Duration = .seconds(30),
            idle: Duration = .seconds(30),
            total: Duration? = .seconds(60)
        ) {
            self.connect = connect
            self.firstByte = firstByte
            self.idle = idle
            self.total = total
        }
    }

    public struct Response: Sendable {
        public let status: Int
        /// In the order they came, names in lower case.
        public let headers: [(name: String, value: String)]
        public let body: Body

        public func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
    }

    /// A body as it comes; letting go of it unread ends the request.
    public final class Body: AsyncSequence, Sendable {
        private let transfer: HTTPTransfer

        init(_ transfer: HTTPTransfer) { self.transfer = transfer }

        deinit { transfer.lane.multi.loop.execute { [transfer] in transfer.fail(.cancelled) } }

        /// The next piece, nil at the end; for one reader at a time.
        public func next() async throws(TransferError) -> [UInt8]? {
            let multi = transfer.lane.multi
            let piece = await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    multi.onLoop { [transfer] in transfer.pull(continuation) }
                }
            } onCancel: {
                multi.loop.execute { [transfer] in transfer.fail(.cancelled) }
            }
            return try piece.get()
        }

        /// All of it, up to the request's own limit.
        public func collect() async throws(TransferError) -> [UInt8] {
            var all: [UInt8] = []
            while let piece = try await next() { all += piece }
            return all
        }

        public struct Iterator: AsyncIteratorProtocol {
            let body: Body
            public func next() async throws(TransferError) -> [UInt8]? { try await body.next() }
        }

        public func makeAsyncIterator() -> Iterator { Iterator(body: self) }
    }
}
