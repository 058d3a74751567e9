import CCurl
import CLinux
import Glibc
import Loop
import Wire

/// One post on its way, on a handle that has carried others before: what never changes is set once.
// @unchecked Sendable: made and touched on its loop's thread alone.
final class PostTransfer: CurlTransfer, @unchecked Sendable {
    private unowned let lane: HTTPLane
    private let kept = CurlEasy()
    private var done: ((Post.Outcome) -> Void)?
    private var body: [UInt8] = []
    private var bodyBytes = 0
    private var keptBytes = 0
    private var began: UInt64 = 0
    /// What ended it, when that was not libcurl.
    private var failure: TransferError?
    private var isCut = false
    /// As the handle has it, where an empty text is none.
    private var proxy: String?
    /// Rises with every post, so that a late answer to a look-up of an earlier one is known as such.
    private var turn = 0

    var easy: CurlEasy? { kept }

    init(_ lane: HTTPLane) {
        self.lane = lane
        kept.set(CURLOPT_PROTOCOLS_STR, "http,https")
        kept.set(CURLOPT_USERAGENT, lane.configuration.userAgent)
        kept.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        kept.set(CURLOPT_POST, 1)
        kept.set(CURLOPT_CONNECTTIMEOUT_MS, OutboundLimits.postConnectMilliseconds)
        if let file = lane.configuration.certificateAuthorities { kept.set(CURLOPT_CAINFO, file) }
        let me = Unmanaged.passUnretained(self).toOpaque()
        curl_set_pointer(kept.handle, CURLOPT_WRITEDATA, me)
        curl_set_pointer(kept.handle, CURLOPT_OPENSOCKETDATA, me)
        curl_set_transfer_function(kept.handle, CURLOPT_WRITEFUNCTION) { bytes, size, count, me in
            PostTransfer.at(me).bodyPiece(UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        guard lane.configuration.ssrfGuard != nil else { return }
        curl_set_socket_function(kept.handle) { me, _, address in
            address.map { PostTransfer.at(me).openSocket($0) } ?? CURL_SOCKET_BAD
        }
    }

    private static func at(_ data: UnsafeMutableRawPointer?) -> PostTransfer {
        // Held by its lane for as long as the handle may be in use.
        Unmanaged<PostTransfer>.fromOpaque(data!).takeUnretainedValue()
    }

    func start(_ post: Post, _ done: @escaping (Post.Outcome) -> Void) {
        turn += 1
        self.done = done
        body = []
        bodyBytes = 0
        keptBytes = post.keptBytes
        failure = nil
        isCut = false
        began = EventLoop.monotonicNanoseconds()
        do throws(TransferError) { try vet(post) } catch { conclude(.failure(error)) }
    }

    private func vet(_ post: Post) throws(TransferError) {
        guard HTTPTransfer.isWellFormed("POST", post.headers) else { throw .invalidURL }
        let address = try lane.address(of: post.url)
        let proxy = lane.proxy(for: address.host)
        guard let ssrfGuard = lane.configuration.ssrfGuard else { return launch(post, address, proxy) }
        try ssrfGuard.check(port: address.port)
        if let literal = address.literal {
            try ssrfGuard.check([literal])
            return launch(post, address, proxy)
        }
        if proxy != nil { return launch(post, address, proxy) }
        let asked = turn
        lane.resolver.addresses(of: address.host) { [self] found in
            guard asked == turn, done != nil else { return }
            do throws(TransferError) {
                try ssrfGuard.check(found)
                launch(post, address, nil, pinned: found)
            } catch { conclude(.failure(error)) }
        }
    }

    private func launch(_ post: Post, _ address: PostAddress, _ proxy: String?, pinned: [IPAddress] = []) {
        kept.set(url: address.url)
        if proxy != self.proxy {
            kept.set(CURLOPT_PROXY, proxy ?? "")
            self.proxy = proxy
        }
        kept.replace(
            CURLOPT_RESOLVE, list: pinned.isEmpty ? [] : [CurlEasy.pin(address.host, address.port, pinned)])
        var lines = post.headers.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
        lines.append("Expect:")
        kept.replace(CURLOPT_HTTPHEADER, list: lines)
        kept.set(body: post.body)
        // The look-up has taken its share of the time already.
        let spent = Int((EventLoop.monotonicNanoseconds() - began) / 1_000_000)
        let (seconds, atto) = post.deadline.components
        kept.set(CURLOPT_TIMEOUT_MS, max(1, Int(seconds) * 1000 + Int(atto / 1_000_000_000_000_000) - spent))
        if !lane.multi.start(self) { conclude(.failure(.cancelled)) }
    }

    /// As `HTTPTransfer.openSocket`: the last wall.
    private func openSocket(_ wanted: UnsafeMutablePointer<curl_sockaddr>) -> curl_socket_t {
        if proxy == nil {
            let address = withUnsafePointer(to: &wanted.pointee.addr) { IPAddress($0) }
            guard let address, lane.configuration.ssrfGuard?.allows(address) == true else {
                failure = .addressNotAllowed
                return CURL_SOCKET_BAD
            }
        }
        let type = wanted.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue)
        return socket(wanted.pointee.family, type, wanted.pointee.protocol)
    }

    private func bodyPiece(_ bytes: UnsafeRawBufferPointer) -> Int {
        bodyBytes += bytes.count
        if body.count < keptBytes { body += bytes.prefix(keptBytes - body.count) }
        // Reading on would only keep the connection; beyond this a new one is cheaper.
        guard bodyBytes <= OutboundLimits.postAnswerBytes else {
            isCut = true
            return 0
        }
        return bytes.count
    }

    func ended(_ code: CURLcode) {
        guard done != nil else { return }
        if code == CURLE_OK || isCut { return conclude(.success(kept.responseCode)) }
        if let failure { return conclude(.failure(failure)) }
        if code == CURLE_OPERATION_TIMEDOUT {
            return conclude(.failure(kept.isConnected ? .totalTimedOut : .connectTimedOut))
        }
        conclude(.failure(TransferError(code, kept.errorDescription)))
    }

    /// Ends it from our side; never from within a call of libcurl's.
    func cancel() {
        guard done != nil else { return }
        lane.multi.stop(kept)
        conclude(.failure(.cancelled))
    }

    private func conclude(_ result: Result<Int, TransferError>) {
        var outcome = Post.Outcome(result)
        outcome.nanoseconds = EventLoop.monotonicNanoseconds() - began
        outcome.body = body
        if case .success(let status) = result, status >= 300 {
            outcome.retryAfter = kept.answerField("retry-after")
        }
        let tell = done
        done = nil
        body = []
        lane.giveBack(self)
        tell?(outcome)
    }
}

/// A receiver's URL, taken apart once.
// @unchecked Sendable: nothing of it changes, and libcurl only reads the parsed URL, on the one loop whose lane made it.
final class PostAddress: @unchecked Sendable {
    let url: CurlURL
    let host: String
    let port: Int
    /// The host, when it is an address already.
    let literal: IPAddress?

    init(_ text: String) throws(TransferError) {
        guard let url = CurlURL(text) else { throw .invalidURL }
        guard url.scheme == "http" || url.scheme == "https" else { throw .schemeNotAllowed }
        host = url.host
        guard !host.isEmpty else { throw .invalidURL }
        self.url = url
        port = url.port
        literal = IPAddress(host)
    }
}
