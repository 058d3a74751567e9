import Outbound
import Postgres
import Wire

/// One message that is due to one endpoint.
struct Delivery: Sendable {
    let message: MessageId
    let cause: DeliveryCause
    /// Tries of the present schedule, and attempts in the log.
    let tries: Int
    let attempts: Int
    let body: [UInt8]

    init(_ row: Row, publicURL: String) throws {
        message = MessageId(try row.get("message_id"))
        cause = try row.get("cause")
        tries = try row.get("tries")
        attempts = try row.get("attempts")
        body = Payload.body(
            type: try row.get("type"), at: try row.get("occurred_at"), data: try row.get("data"), of: message,
            publicURL: publicURL)
    }
}

/// Why a message is delivered.
enum DeliveryCause: String, Codable, CaseIterable, SQLBindable, RowValue, Sendable {
    case event, resend, recovery, test
}

/// What became of one attempt.
enum AttemptOutcome: String, Codable, CaseIterable, SQLBindable, RowValue, Sendable {
    case delivered, retry
    case givenUp = "given_up"
}

/// An attempt that has been made and is to be written down.
struct AttemptResult: Sendable {
    let delivery: Delivery
    let id: UUID
    let at: Timestamp
    let status: Int?
    let error: String?
    let milliseconds: Int
    let response: String
    let outcome: AttemptOutcome
    let nextTry: Timestamp?
    /// The pause the whole endpoint needs after it.
    let pause: Duration?
    /// 410: the receiver says that it is gone for good.
    let isGone: Bool

    init(_ delivery: Delivery, _ outcome: Post.Outcome, at: Timestamp, slowSteps: Int) {
        self.delivery = delivery
        self.at = at
        id = UUID.v7()
        milliseconds = Int(outcome.nanoseconds / 1_000_000)
        response = Self.text(outcome.body)
        switch outcome.result {
        case .success(let status):
            self.status = status
            error = (200..<300).contains(status) ? nil : "status \(status)"
        case .failure(let failure):
            status = nil
            error = Self.sentence(failure)
        }
        isGone = status == 410
        guard error != nil else {
            self.outcome = .delivered
            nextTry = nil
            pause = nil
            return
        }
        let wished = Schedule.retryAfter(outcome.retryAfter, now: at)
        if !isGone, let pause = Schedule.pause(afterTries: delivery.tries + 1) {
            self.outcome = .retry
            nextTry = at + max(pause, wished ?? .zero)
        } else {
            self.outcome = .givenUp
            nextTry = nil
        }
        pause = Self.isTooBusy(outcome.result) ? max(wished ?? .zero, Schedule.slowPause(slowSteps)) : wished
    }

    /// What Standard Webhooks calls throttling, and a receiver that does not answer in time, which needs it no less.
    private static func isTooBusy(_ result: Result<Int, TransferError>) -> Bool {
        switch result {
        case .success(let status): [429, 502, 504].contains(status)
        case .failure(let failure): failure == .totalTimedOut || failure == .connectTimedOut
        }
    }

    /// As text that PostgreSQL takes: whatever the receiver sent, NUL included.
    private static func text(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.map { $0 == 0 ? UInt8(ascii: " ") : $0 }, as: UTF8.self)
    }

    private static func sentence(_ failure: TransferError) -> String {
        switch failure {
        case .invalidURL: "the URL or a header field is not well formed"
        case .schemeNotAllowed: "only http and https are allowed"
        case .portNotAllowed: "this port is not allowed"
        case .addressNotAllowed: "the host's address is not one of the open Internet"
        case .unknownHost: "the host is unknown"
        case .connectFailed: "the connection was refused"
        case .connectTimedOut: "the connection did not come about in time"
        case .insecure(let why): "TLS failed: \(why)"
        case .firstByteTimedOut, .idleTimedOut, .totalTimedOut: "no whole answer came in time"
        case .responseTooLarge: "the answer was too large"
        case .badResponse: "the answer was no HTTP"
        case .disconnected: "the connection was closed before the answer was whole"
        case .cancelled: "the delivery was broken off"
        case .other(let why): why
        }
    }
}
