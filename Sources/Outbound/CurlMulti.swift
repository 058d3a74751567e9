import CCurl
import Loop

/// Something that libcurl is carrying out.
protocol CurlTransfer: AnyObject {
    var easy: CurlEasy? { get }
    /// The handle is out of the multi handle already; called once, on the loop's thread.
    func ended(_ code: CURLcode)
}

/// All transfers of one loop: libcurl says which sockets and what time it waits for, the loop tells it when they come.
///
/// Connections are kept and used again within one such object only.
// @unchecked Sendable: made anywhere, from then on touched on the loop's thread alone.
final class CurlMulti: @unchecked Sendable {
    let loop: EventLoop
    private let handle: UnsafeMutableRawPointer
    private var transfers: [UnsafeMutableRawPointer: any CurlTransfer] = [:]
    private var sockets: [Int32: CurlSocket] = [:]
    private lazy var timer = loop.timer { [unowned self] in act(CURL_SOCKET_TIMEOUT, 0) }
    private var isShutDown = false

    init(
        loop: EventLoop, connectionsPerHost: Int = OutboundLimits.connectionsPerHost,
        connections: Int = OutboundLimits.connectionsPerLoop
    ) {
        self.loop = loop
        guard let handle = curl_multi_init() else {
            preconditionFailure("libcurl has no memory for its transfers")
        }
        self.handle = handle
        let me = Unmanaged.passUnretained(self).toOpaque()
        curl_multi_set_pointer(handle, CURLMOPT_SOCKETDATA, me)
        curl_multi_set_pointer(handle, CURLMOPT_TIMERDATA, me)
        curl_multi_set_watch_function(handle) { _, descriptor, what, data, _ in
            CurlMulti.at(data).watch(descriptor, what)
            return 0
        }
        curl_multi_set_timer_function(handle) { _, milliseconds, data in
            CurlMulti.at(data).arm(milliseconds)
            return 0
        }
        curl_multi_set_long(handle, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections)
        curl_multi_set_long(handle, CURLMOPT_MAX_HOST_CONNECTIONS, connectionsPerHost)
        curl_multi_set_long(handle, CURLMOPT_MAXCONNECTS, connections)
    }

    private static func at(_ data: UnsafeMutableRawPointer?) -> CurlMulti {
        // libcurl gives back the pointer of `init`; the object outlives its handle, see `shutDown`.
        Unmanaged<CurlMulti>.fromOpaque(data!).takeUnretainedValue()
    }

    /// Runs `work` on the loop's thread: at once when this is it.
    func onLoop(_ work: @escaping @Sendable () -> Void) {
        if loop.isCurrent { work() } else { loop.execute(work) }
    }

    /// False when this object is closed already.
    func start(_ transfer: some CurlTransfer) -> Bool {
        guard !isShutDown, let easy = transfer.easy else { return false }
        transfers[easy.handle] = transfer
        curl_multi_add_handle(handle, easy.handle)
        return true
    }

    /// Takes a transfer out before its end, with the connection it had.
    func stop(_ easy: CurlEasy) {
        guard transfers.removeValue(forKey: easy.handle) != nil else { return }
        curl_multi_remove_handle(handle, easy.handle)
    }

    /// Ends everything and closes all connections; whoever makes a CurlMulti sees to this call.
    func shutDown() {
        guard !isShutDown else { return }
        isShutDown = true
        for (easy, transfer) in transfers {
            curl_multi_remove_handle(handle, easy)
            transfer.ended(CURLE_ABORTED_BY_CALLBACK)
        }
        transfers = [:]
        curl_multi_cleanup(handle)
        for descriptor in sockets.keys { loop.forget(descriptor) }
        sockets = [:]
        timer.disarm()
    }

    fileprivate func act(_ descriptor: Int32, _ mask: Int32) {
        guard !isShutDown else { return }
        var running: Int32 = 0
        curl_multi_socket_action(handle, descriptor, mask, &running)
        var left: Int32 = 0
        while let message = curl_multi_info_read(handle, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else {
                continue
            }
            let code = message.pointee.data.result
            // The message dies with the next call, so both were read before.
            curl_multi_remove_handle(handle, easy)
            transfers.removeValue(forKey: easy)?.ended(code)
        }
    }

    private func watch(_ descriptor: Int32, _ what: Int32) {
        if what == CURL_POLL_REMOVE {
            if sockets.removeValue(forKey: descriptor) != nil { loop.forget(descriptor) }
            return
        }
        var events: EventLoop.Events = []
        if what & CURL_POLL_IN != 0 { events.insert(.readable) }
        if what & CURL_POLL_OUT != 0 { events.insert(.writable) }
        if sockets[descriptor] != nil {
            loop.change(descriptor, events)
        } else {
            let socket = CurlSocket(descriptor, of: self)
            sockets[descriptor] = socket
            loop.watch(descriptor, events, socket)
        }
    }

    private func arm(_ milliseconds: Int) {
        if milliseconds < 0 { timer.disarm() } else { timer.arm(after: .milliseconds(milliseconds)) }
    }
}

/// A socket of libcurl's on the loop.
private final class CurlSocket: Readiness {
    private let descriptor: Int32
    private unowned let multi: CurlMulti

    init(_ descriptor: Int32, of multi: CurlMulti) {
        self.descriptor = descriptor
        self.multi = multi
    }

    func ready(_ events: EventLoop.Events) {
        var mask: Int32 = 0
        if events.contains(.readable) { mask |= CURL_CSELECT_IN }
        if events.contains(.writable) { mask |= CURL_CSELECT_OUT }
        if !events.isDisjoint(with: .broken) { mask |= CURL_CSELECT_ERR }
        multi.act(descriptor, mask)
    }
}
