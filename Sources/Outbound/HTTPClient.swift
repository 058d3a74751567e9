import Loop
import Wire

/// Requests to other servers: libcurl on the event loops, with a deadline for every stage, bodies as they come, and
/// connections kept for the next request on the same loop.
///
/// Redirects are answers like any other; following one is the caller's decision.
public final class HTTPClient: Sendable {
    public struct Configuration: Sendable {
        public var userAgent = "Infinity"
        /// For addresses that customers give; nil for those that the operator configured.
        public var ssrfGuard: SSRFGuard?
        /// `http://proxy:3128`. The guard then sees literal addresses, schemes and ports; names are resolved by the
        /// proxy, whose own rules decide.
        public var proxy: String?
        /// Hosts that are reached directly: `example.org` stands for its subdomains too.
        public var proxyExceptions: [String] = []
        /// A PEM file instead of the system's authorities.
        public var certificateAuthorities: String?
        public var connectionsPerHost = OutboundLimits.connectionsPerHost
        public var connectionsPerLoop = OutboundLimits.connectionsPerLoop

        public init() {}
    }

    let configuration: Configuration
    private let lanes: [HTTPLane]
    private let loops: LoopGroup

    /// - Parameter resolver: the threads on which names are looked up.
    public init(loops: LoopGroup, resolver: BlockingPool, configuration: Configuration = Configuration()) {
        self.loops = loops
        self.configuration = configuration
        lanes = loops.loops.map { HTTPLane(loop: $0, resolver: resolver, configuration: configuration) }
    }

    deinit {
        // Later, not now: the last reference may go while libcurl is at work on this very loop.
        for lane in lanes { lane.multi.loop.execute { lane.shutDown() } }
    }

    /// That of the loop whose thread this is, if it is one of ours.
    var laneOfThisLoop: HTTPLane? {
        guard let loop = EventLoop.current else { return nil }
        return lanes.first { $0.multi.loop === loop }
    }

    /// The answer as soon as its head is there; its body comes while it is read.
    ///
    /// Runs on the caller's own loop, or on any when the caller is on none. Cancelling the task ends the request.
    public func send(_ request: Request) async throws(TransferError) -> Response {
        let lane = laneOfThisLoop ?? lanes[loops.next().index % lanes.count]
        let transfer = HTTPTransfer(request, lane)
        let head = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                lane.multi.onLoop { transfer.start(continuation) }
            }
        } onCancel: {
            lane.multi.loop.execute { transfer.fail(.cancelled) }
        }
        let (status, headers) = try head.get()
        return Response(status: status, headers: headers, body: Body(transfer))
    }
}

/// What the requests of one loop share.
// @unchecked Sendable: the resolver is used on the loop's thread alone.
final class HTTPLane: @unchecked Sendable {
    let multi: CurlMulti
    let resolver: NameResolver
    let configuration: HTTPClient.Configuration
    /// Every transfer of posts that was ever needed at once, and those that wait for their next.
    private var posts: [PostTransfer] = []
    private var idlePosts: [PostTransfer] = []
    private var addresses: [String: PostAddress] = [:]

    init(loop: EventLoop, resolver pool: BlockingPool, configuration: HTTPClient.Configuration) {
        multi = CurlMulti(
            loop: loop, connectionsPerHost: configuration.connectionsPerHost,
            connections: configuration.connectionsPerLoop)
        resolver = NameResolver(loop: loop, pool: pool)
        self.configuration = configuration
    }

    /// The proxy for a host, if it is not reached directly.
    func proxy(for host: String) -> String? {
        guard let proxy = configuration.proxy else { return nil }
        let host = host.lowercased()
        let isDirect = configuration.proxyExceptions.contains { exception in
            let exception = exception.lowercased()
            return host == exception || host.hasSuffix("." + exception)
        }
        return isDirect ? nil : proxy
    }

    func transferOfPost() -> PostTransfer {
        if let idle = idlePosts.popLast() { return idle }
        let transfer = PostTransfer(self)
        posts.append(transfer)
        return transfer
    }

    func giveBack(_ transfer: PostTransfer) { idlePosts.append(transfer) }

    func cancelPosts() { for transfer in posts { transfer.cancel() } }

    func address(of url: String) throws(TransferError) -> PostAddress {
        if let known = addresses[url] { return known }
        if addresses.count >= OutboundLimits.addressesRemembered { addresses = [:] }
        let address = try PostAddress(url)
        addresses[url] = address
        return address
    }

    /// The handles of posts go before the multi handle they may be in.
    func shutDown() {
        cancelPosts()
        multi.shutDown()
    }
}
