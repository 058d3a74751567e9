import Wire

/// A message on its way to a receiver of which little is wanted back: whether it took it, and the first of what it said.
public struct Post: Sendable {
    /// As `HTTPClient.Request.url`.
    public var url: String
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]
    /// For all of it: name, connection, handshake, sending, answer.
    public var deadline: Duration
    /// So much of the answer's body is kept.
    public var keptBytes: Int

    public init(
        _ url: String, headers: [(name: String, value: String)], body: [UInt8],
        deadline: Duration = .seconds(15), keptBytes: Int = 1024
    ) {
        self.url = url
        self.headers = headers
        self.body = body
        self.deadline = deadline
        self.keptBytes = keptBytes
    }

    /// What came of it.
    public struct Outcome: Sendable {
        /// The status of a whole answer, or why there is none.
        public var result: Result<Int, TransferError>
        /// The field Retry-After as it was sent.
        public var retryAfter: String?
        public var body: [UInt8] = []
        public var nanoseconds: UInt64 = 0

        public init(_ result: Result<Int, TransferError>) { self.result = result }
    }
}

extension HTTPClient {
    /// Sends `post` and calls back on the same loop, which the caller must be on. Handles, connections and vetted
    /// names are used again from post to post: this is the way for many of them.
    public func send(_ post: Post, _ done: @escaping (Post.Outcome) -> Void) {
        guard let lane = laneOfThisLoop else { preconditionFailure("a post is sent on a loop's own thread") }
        lane.transferOfPost().start(post, done)
    }

    /// Ends every post that is under way on this loop; each is told so.
    public func cancelPosts() {
        guard let lane = laneOfThisLoop else {
            preconditionFailure("posts are cancelled on their loop's thread")
        }
        lane.cancelPosts()
    }
}

extension HTTPClient {
    /// Nil, or why the guard would let nothing through to this URL. A name is looked up only when something is sent.
    public func refusal(of url: String) -> String? {
        do throws(TransferError) {
            let address = try PostAddress(url)
            try configuration.ssrfGuard?.check(port: address.port)
            if let literal = address.literal { try configuration.ssrfGuard?.check([literal]) }
            return nil
        } catch {
            switch error {
            case .addressNotAllowed: return "Its address is not one of the open Internet."
            case .portNotAllowed: return "Its port is not allowed."
            default: return "It is not well formed; a host of other letters is written xn--…"
            }
        }
    }
}
