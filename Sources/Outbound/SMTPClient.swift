import CCurl
import Glibc
import Loop

/// How a delivery ended, as far as the next step depends on it.
public enum MailOutcome: Equatable, Sendable {
    /// The server has taken the mail and answers for it.
    case accepted
    /// Worth another try: the network, a busy server, or something the operator must mend (password, certificate).
    case temporaryFailure(String)
    /// The server will never take this mail for this recipient.
    case permanentFailure(String)
}

/// Hands mails to one server (RFC 5321) by libcurl on an event loop; connections are kept for the next mail.
public final class SMTPClient: Sendable {
    public let server: MailServer
    let connectDeadline: Duration
    let totalDeadline: Duration
    private let multi: CurlMulti

    public init(
        _ server: MailServer, loop: EventLoop, connectDeadline: Duration = .seconds(15),
        totalDeadline: Duration = .seconds(120)
    ) {
        self.server = server
        self.connectDeadline = connectDeadline
        self.totalDeadline = totalDeadline
        // Mail servers count connections per client; two keep a queue moving.
        multi = CurlMulti(loop: loop, connectionsPerHost: 2)
    }

    deinit {
        // Later, not now: the last reference may go while libcurl is at work on this very loop.
        multi.loop.execute { [multi] in multi.shutDown() }
    }

    /// Sends to all recipients of the message; one that the server refuses refuses it for all, so a queue sends one
    /// mail per recipient.
    public func send(_ message: MIMEMessage) async -> MailOutcome {
        await send(message.bytes, from: message.from, to: message.to)
    }

    /// - Parameter content: a whole message with CRLF line ends; lines that begin with a dot are taken care of.
    public func send(_ content: [UInt8], from: Mailbox, to: [Mailbox]) async -> MailOutcome {
        await run(.mail(content, from: from.address, to: to.map(\.address)))
    }

    /// Connects, greets, encrypts and signs in, without sending anything: for a check of the settings.
    public func check() async -> MailOutcome { await run(.noop) }

    private func run(_ errand: SMTPTransfer.Errand) async -> MailOutcome {
        let transfer = SMTPTransfer(errand, server, multi)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                multi.onLoop { [connectDeadline, totalDeadline] in
                    transfer.start(continuation, connect: connectDeadline, total: totalDeadline)
                }
            }
        } onCancel: {
            multi.loop.execute { transfer.cancel() }
        }
    }
}

/// One errand at the mail server.
// @unchecked Sendable: made anywhere, from `start` on touched on its loop's thread alone.
final class SMTPTransfer: CurlTransfer, @unchecked Sendable {
    enum Errand {
        case noop
        case mail([UInt8], from: String, to: [String])
    }

    private(set) var easy: CurlEasy?
    private let errand: Errand
    private let server: MailServer
    private let multi: CurlMulti
    private var continuation: CheckedContinuation<MailOutcome, Never>?
    private var sentBytes = 0
    /// The last reply that said no; libcurl says goodbye after it, so it is not the last of all.
    private var refusal = ""
    private var isCancelled = false

    init(_ errand: Errand, _ server: MailServer, _ multi: CurlMulti) {
        self.errand = errand
        self.server = server
        self.multi = multi
    }

    func start(_ continuation: CheckedContinuation<MailOutcome, Never>, connect: Duration, total: Duration) {
        if isCancelled { return continuation.resume(returning: .temporaryFailure("cancelled")) }
        self.continuation = continuation
        let easy = CurlEasy()
        self.easy = easy
        let host = server.host.contains(":") ? "[\(server.host)]" : server.host
        let scheme = server.isImplicitlyEncrypted ? "smtps" : "smtp"
        easy.set(CURLOPT_URL, "\(scheme)://\(host):\(server.port)/\(server.ownName)")
        easy.set(CURLOPT_PROTOCOLS_STR, "smtp,smtps")
        easy.set(CURLOPT_CONNECTTIMEOUT_MS, connect.milliseconds)
        easy.set(CURLOPT_TIMEOUT_MS, total.milliseconds)
        setSecurity(easy)
        setErrand(easy)
        let me = Unmanaged.passUnretained(self).toOpaque()
        for option in [CURLOPT_HEADERDATA, CURLOPT_WRITEDATA, CURLOPT_READDATA] {
            curl_set_pointer(easy.handle, option, me)
        }
        curl_set_transfer_function(easy.handle, CURLOPT_HEADERFUNCTION) { bytes, size, count, me in
            SMTPTransfer.at(me).reply(UnsafeRawBufferPointer(start: bytes, count: size * count))
            return size * count
        }
        // The same lines come as a body for commands of our own; without this they would go to standard output.
        curl_set_transfer_function(easy.handle, CURLOPT_WRITEFUNCTION) { _, size, count, _ in size * count }
        curl_set_transfer_function(easy.handle, CURLOPT_READFUNCTION) { room, size, count, me in
            SMTPTransfer.at(me).fill(UnsafeMutableRawBufferPointer(start: room, count: size * count))
        }
        if !multi.start(self) { conclude(.temporaryFailure("cancelled")) }
    }

    private func setSecurity(_ easy: CurlEasy) {
        let wanted =
            switch server.startTLS {
            case .off: CURLUSESSL_NONE
            case .offered: CURLUSESSL_TRY
            case .required: CURLUSESSL_ALL
            }
        easy.set(CURLOPT_USE_SSL, Int(wanted.rawValue))
        if let file = server.certificateAuthorities { easy.set(CURLOPT_CAINFO, file) }
        if let user = server.user { easy.set(CURLOPT_USERNAME, user) }
        if let password = server.password { easy.set(CURLOPT_PASSWORD, password) }
        if let mechanism = server.mechanism {
            easy.set(CURLOPT_LOGIN_OPTIONS, "AUTH=\(mechanism.rawValue.uppercased())")
        }
    }

    private func setErrand(_ easy: CurlEasy) {
        switch errand {
        case .noop: easy.set(CURLOPT_CUSTOMREQUEST, "NOOP")
        case .mail(let content, let from, let to):
            easy.set(CURLOPT_UPLOAD, 1)
            // The server learns the size with MAIL FROM and can refuse before the content is sent (RFC 1870).
            curl_set_offset(easy.handle, CURLOPT_INFILESIZE_LARGE, curl_off_t(content.count))
            easy.set(CURLOPT_MAIL_FROM, "<\(from)>")
            easy.replace(CURLOPT_MAIL_RCPT, list: to.map { "<\($0)>" })
        }
    }

    private static func at(_ data: UnsafeMutableRawPointer?) -> SMTPTransfer {
        // Held by CurlMulti for as long as libcurl has the handle.
        Unmanaged<SMTPTransfer>.fromOpaque(data!).takeUnretainedValue()
    }

    private func reply(_ line: UnsafeRawBufferPointer) {
        guard let first = line.first, first == UInt8(ascii: "4") || first == UInt8(ascii: "5") else { return }
        let visible = line.prefix(500).filter { $0 >= 0x20 && $0 != 0x7F }
        refusal = String(decoding: visible, as: UTF8.self)
    }

    private func fill(_ room: UnsafeMutableRawBufferPointer) -> Int {
        guard case .mail(let content, _, _) = errand else { return 0 }
        let piece = content[sentBytes..<min(sentBytes + room.count, content.count)]
        room.copyBytes(from: piece)
        sentBytes += piece.count
        return piece.count
    }

    func cancel() {
        isCancelled = true
        if let easy { multi.stop(easy) }
        conclude(.temporaryFailure("cancelled"))
    }

    func ended(_ code: CURLcode) { conclude(code == CURLE_OK ? .accepted : failure(code)) }

    private func conclude(_ outcome: MailOutcome) {
        easy = nil
        continuation?.resume(returning: outcome)
        continuation = nil
    }

    private func failure(_ code: CURLcode) -> MailOutcome {
        guard case .mail(let content, _, _) = errand else { return .temporaryFailure(reason(code)) }
        // A refusal of the mail itself: of its sender, a recipient or (all of it sent by then) its content. One before
        // that is of us, not of the mail; so are the codes that ask for a login or encryption (RFC 4954).
        let isAboutMail = code == CURLE_SEND_ERROR || sentBytes == content.count
        let isAboutUs = ["530", "534", "535", "538"].contains(refusal.prefix(3))
        if isAboutMail, !isAboutUs, refusal.first == "5" { return .permanentFailure(refusal) }
        return .temporaryFailure(reason(code))
    }

    private func reason(_ code: CURLcode) -> String {
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST: return "the mail server's name has no address"
        case CURLE_COULDNT_CONNECT: return "the mail server does not answer"
        case CURLE_OPERATION_TIMEDOUT: return "the mail server took too long"
        case CURLE_USE_SSL_FAILED: return "the mail server does not offer encryption"
        case CURLE_LOGIN_DENIED: return "the mail server refused user and password: \(refusal)"
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CACERT_BADFILE:
            return "the connection to the mail server is not secure: \(easy?.errorDescription ?? "")"
        default:
            return refusal.isEmpty ? String(cString: curl_easy_strerror(code)) : refusal
        }
    }
}

extension Duration {
    fileprivate var milliseconds: Int {
        Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000)
    }
}
