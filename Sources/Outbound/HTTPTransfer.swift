import CCurl
import CLinux
import Glibc
import Loop
import Wire

/// One request on its way: from the name's look-up to the last byte of the answer.
// @unchecked Sendable: made anywhere, from `start` on touched on its loop's thread alone.
final class HTTPTransfer: CurlTransfer, @unchecked Sendable {
    typealias Head = (status: Int, headers: [(name: String, value: String)])
    typealias HeadContinuation = CheckedContinuation<Result<Head, TransferError>, Never>
    typealias PieceContinuation = CheckedContinuation<Result<[UInt8]?, TransferError>, Never>

    private enum Stage { case connecting, awaitingHead, body }

    let lane: HTTPLane
    private let request: HTTPClient.Request
    private(set) var easy: CurlEasy?

    private var stage = Stage.connecting
    private var isThroughProxy = false
    private var awaitingHead: HeadContinuation?
    private var awaitingPiece: PieceContinuation?
    private var head = ResponseHead()
    private var pieces: [[UInt8]] = []
    private var unreadBytes = 0
    private var bodyBytes = 0
    private var isPaused = false
    /// What ended it, when that was not libcurl.
    private var failure: TransferError?
    private var outcome: Result<Void, TransferError>?

    private lazy var stageTimer = lane.multi.loop.timer { [unowned self] in stageExpired() }
    private lazy var totalTimer = lane.multi.loop.timer { [unowned self] in fail(.totalTimedOut) }

    init(_ request: HTTPClient.Request, _ lane: HTTPLane) {
        self.request = request
        self.lane = lane
    }

    // MARK: on its way out

    func start(_ continuation: HeadContinuation) {
        if case .failure(let error) = outcome { return continuation.resume(returning: .failure(error)) }
        awaitingHead = continuation
        stageTimer.arm(after: request.deadlines.connect)
        if let total = request.deadlines.total { totalTimer.arm(after: total) }
        do throws(TransferError) { try vet() } catch { fail(error) }
    }

    /// Looks at the URL and, for a guarded client, at every address behind its host.
    private func vet() throws(TransferError) {
        guard let url = CurlURL(request.url) else { throw .invalidURL }
        guard url.scheme == "http" || url.scheme == "https" else { throw .schemeNotAllowed }
        guard !url.host.isEmpty, isWellFormed else { throw .invalidURL }
        let proxy = lane.proxy(for: url.host)
        isThroughProxy = proxy != nil
        guard let ssrfGuard = lane.configuration.ssrfGuard else { return try launch(url, proxy) }
        try ssrfGuard.check(port: url.port)
        if let address = IPAddress(url.host) {
            try ssrfGuard.check([address])
            return try launch(url, proxy)
        }
        if proxy != nil { return try launch(url, proxy) }
        lane.resolver.addresses(of: url.host) { [self] addresses in
            guard outcome == nil else { return }
            do throws(TransferError) {
                try ssrfGuard.check(addresses)
                guard let url = CurlURL(request.url) else { throw .invalidURL }
                try launch(url, nil, pinned: addresses)
            } catch { fail(error) }
        }
    }

    /// No line of the head may be broken by what the caller put into it, and what frames the message is ours to write:
    /// a customer's extra header must not make one request look like two.
    private var isWellFormed: Bool { Self.isWellFormed(request.method, request.headers) }

    static func isWellFormed(_ method: String, _ headers: [(name: String, value: String)]) -> Bool {
        let isToken = { (text: String) in
            !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }
        }
        return isToken(method)
            && headers.allSatisfy { header in
                isToken(header.name) && !Self.ownHeaders.contains(header.name.lowercased())
                    && !header.value.utf8.contains { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F }
            }
    }

    private static let ownHeaders: Set = [
        "host", "content-length", "transfer-encoding", "connection", "expect", "upgrade",
    ]

    private func launch(_ url: CurlURL, _ proxy: String?, pinned: [IPAddress] = []) throws(TransferError) {
        let easy = CurlEasy()
        self.easy = easy
        easy.set(url: url)
        easy.set(CURLOPT_PROTOCOLS_STR, "http,https")
        easy.set(CURLOPT_USERAGENT, lane.configuration.userAgent)
        if let proxy { easy.set(CURLOPT_PROXY, proxy) }
        easy.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        if let file = lane.configuration.certificateAuthorities { easy.set(CURLOPT_CAINFO, file) }
        if request.acceptsGzip { easy.set(CURLOPT_ACCEPT_ENCODING, "gzip") }
        if !pinned.isEmpty {
            easy.replace(CURLOPT_RESOLVE, list: [CurlEasy.pin(url.host, url.port, pinned)])
        }
        setMethodAndBody(easy)
        setCallbacks(easy)
        guard lane.multi.start(self) else { throw .cancelled }
    }

    private func setMethodAndBody(_ easy: CurlEasy) {
        var lines = request.headers.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
        // libcurl would wait for a 100 that many servers never send, and call every body a form.
        lines.append("Expect:")
        let hasBody = !request.body.isEmpty || ["POST", "PUT", "PATCH"].contains(request.method)
        if hasBody {
            easy.set(body: request.body)
            if !request.headers.contains(where: { $0.name.lowercased() == "content-type" }) {
                lines.append("Content-Type:")
            }
        }
        if request.method == "HEAD" { easy.set(CURLOPT_NOBODY, 1) }
        easy.set(CURLOPT_CUSTOMREQUEST, request.method)
        easy.replace(CURLOPT_HTTPHEADER, list: lines)
    }

    private func setCallbacks(_ easy: CurlEasy) {
        let me = Unmanaged.passUnretained(self).toOpaque()
        for option in [CURLOPT_HEADERDATA, CURLOPT_WRITEDATA, CURLOPT_PREREQDATA, CURLOPT_OPENSOCKETDATA] {
            curl_set_pointer(easy.handle, option, me)
        }
        curl_set_transfer_function(easy.handle, CURLOPT_HEADERFUNCTION) { bytes, size, count, me in
            HTTPTransfer.at(me).headLine(UnsafeRawBufferPointer(start: bytes, count: size * count))
                ? size * count : 0
        }
        curl_set_transfer_function(easy.handle, CURLOPT_WRITEFUNCTION) { bytes, size, count, me in
            HTTPTransfer.at(me).bodyPiece(UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        curl_set_request_function(easy.handle) { me, _, _, _, _ in
            HTTPTransfer.at(me).connected()
            return CURL_PREREQFUNC_OK
        }
        guard lane.configuration.ssrfGuard != nil, !isThroughProxy else { return }
        curl_set_socket_function(easy.handle) { me, _, address in
            address.map { HTTPTransfer.at(me).openSocket($0) } ?? CURL_SOCKET_BAD
        }
    }

    private static func at(_ data: UnsafeMutableRawPointer?) -> HTTPTransfer {
        // Held by CurlMulti for as long as libcurl has the handle.
        Unmanaged<HTTPTransfer>.fromOpaque(data!).takeUnretainedValue()
    }

    // MARK: called by libcurl, which must not be called back from here

    /// The last wall: whatever way an address came in, no socket is made for one that the guard refuses.
    private func openSocket(_ wanted: UnsafeMutablePointer<curl_sockaddr>) -> curl_socket_t {
        let address = withUnsafePointer(to: &wanted.pointee.addr) { IPAddress($0) }
        guard let address, lane.configuration.ssrfGuard?.allows(address) == true else {
            failure = .addressNotAllowed
            return CURL_SOCKET_BAD
        }
        let type = wanted.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue)
        return socket(wanted.pointee.family, type, wanted.pointee.protocol)
    }

    private func connected() {
        guard stage == .connecting else { return }
        stage = .awaitingHead
        stageTimer.arm(after: request.deadlines.firstByte)
    }

    private func headLine(_ line: UnsafeRawBufferPointer) -> Bool {
        // Trailers come the same way after the body; nobody asked for them.
        if stage == .body { return true }
        guard head.read(line) else {
            failure = .responseTooLarge
            return false
        }
        if head.isComplete { headEnded() }
        return true
    }

    private func headEnded() {
        let status = easy?.responseCode ?? 0
        // 100 to 199 announce the real answer; 101 is none we ask for.
        guard status >= 200 else { return }
        stage = .body
        awaitingHead?.resume(returning: .success((status, head.headers)))
        awaitingHead = nil
        stageTimer.disarm()
    }

    private func bodyPiece(_ bytes: UnsafeRawBufferPointer) -> Int {
        if bytes.isEmpty { return 0 }
        if unreadBytes >= OutboundLimits.unreadBytes {
            isPaused = true
            return Int(CURL_WRITEFUNC_PAUSE)
        }
        bodyBytes += bytes.count
        guard bodyBytes <= request.responseBytesMax else {
            failure = .responseTooLarge
            return 0
        }
        if let reader = awaitingPiece {
            awaitingPiece = nil
            stageTimer.disarm()
            reader.resume(returning: .success([UInt8](bytes)))
        } else {
            pieces.append([UInt8](bytes))
            unreadBytes += bytes.count
        }
        return bytes.count
    }

    // MARK: the reader's side

    func pull(_ continuation: PieceContinuation) {
        if !pieces.isEmpty {
            let piece = pieces.removeFirst()
            unreadBytes -= piece.count
            continuation.resume(returning: .success(piece))
            if isPaused, unreadBytes < OutboundLimits.unreadBytes {
                isPaused = false
                resume()
            }
            return
        }
        if let outcome { return continuation.resume(returning: outcome.map { nil }) }
        awaitingPiece = continuation
        stageTimer.arm(after: request.deadlines.idle)
    }

    /// libcurl hands out what it held back within this very call, and tells what goes wrong then by its result alone.
    private func resume() {
        guard let code = easy?.resume(), code != CURLE_OK else { return }
        fail(failure ?? TransferError(code, easy?.errorDescription ?? ""))
    }

    private func stageExpired() {
        switch stage {
        case .connecting: fail(.connectTimedOut)
        case .awaitingHead: fail(.firstByteTimedOut)
        case .body: fail(.idleTimedOut)
        }
    }

    /// Ends the request from our side; never from within a call of libcurl's.
    func fail(_ error: TransferError) {
        guard outcome == nil else { return }
        if let easy { lane.multi.stop(easy) }
        conclude(.failure(error))
    }

    func ended(_ code: CURLcode) {
        guard outcome == nil else { return }
        conclude(
            code == CURLE_OK
                ? .success(()) : .failure(failure ?? TransferError(code, easy?.errorDescription ?? "")))
    }

    private func conclude(_ outcome: Result<Void, TransferError>) {
        self.outcome = outcome
        easy = nil
        stageTimer.disarm()
        totalTimer.disarm()
        // A head that was never completed cannot be a success.
        awaitingHead?.resume(returning: .failure(outcome.failure ?? .badResponse))
        awaitingHead = nil
        awaitingPiece?.resume(returning: outcome.map { nil })
        awaitingPiece = nil
        // What was cut off is not handed out as if more would follow, except what had come before the break.
        if outcome.failure == .cancelled { pieces = [] }
    }
}

extension Result {
    fileprivate var failure: Failure? {
        if case .failure(let error) = self { error } else { nil }
    }
}
