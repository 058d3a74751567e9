import Synchronization

/// A kind of problem the API can answer with, declared once: status, title and what the caller can do about it.
///
/// The name is a promise to clients; it is never used again for something else.
public struct ProblemCode: Hashable, Sendable {
    public let name: String
    public let status: Int
    public let title: String
    public let advice: String

    public init(_ name: String, _ status: Int, _ title: String, advice: String) {
        self.name = name
        self.status = status
        self.title = title
        self.advice = advice
    }

    public static func == (left: ProblemCode, right: ProblemCode) -> Bool { left.name == right.name }
    public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

/// What the API itself answers with, on whatever route.
extension ProblemCode {
    public static let malformedRequest = ProblemCode(
        "malformed-request", 400, "The request is not well formed",
        advice:
            "Read `errors`: each names the place. Unknown fields and parameters are refused, so that a typing "
            + "mistake cannot pass for a wish.")
    public static let invalidRequest = ProblemCode(
        "invalid-request", 422, "The request is well formed but cannot be accepted",
        advice:
            "Read `errors`: each names a field or parameter and what it must be. All faults are told at once."
    )
    public static let invalidCursor = ProblemCode(
        "invalid-cursor", 400, "The cursor does not belong to this list",
        advice:
            "Send `cursor` back exactly as `page.next_cursor` gave it, with the same filter and sort; else begin "
            + "the list anew.")
    public static let unauthorized = ProblemCode(
        "unauthorized", 401, "A valid access token is required",
        advice:
            "Send `Authorization: Bearer …` with a token that has not expired; refresh it or log in again.")
    public static let forbidden = ProblemCode(
        "forbidden", 403, "This is not allowed to you",
        advice: "The detail names the missing permission; an owner or admin of the company can grant it.")
    public static let companyRequired = ProblemCode(
        "company-required", 403, "The token is not for a company",
        advice: "Choose a company first; the answer carries a token that is bound to it.")
    public static let notFound = ProblemCode(
        "not-found", 404, "There is no such thing here",
        advice: "Check the address. What belongs to another company does not exist for you.")
    public static let methodNotAllowed = ProblemCode(
        "method-not-allowed", 405, "The method is not allowed here",
        advice: "The `Allow` header lists the methods of this address.")
    public static let notAcceptable = ProblemCode(
        "not-acceptable", 406, "No acceptable representation",
        advice: "Accept `application/json`, or leave `Accept` out.")
    public static let conflict = ProblemCode(
        "conflict", 409, "The request conflicts with what is there",
        advice: "Read the resource again and decide anew.")
    public static let requestInFlight = ProblemCode(
        "request-in-flight", 409, "A request with this Idempotency-Key is being worked on",
        advice: "Wait for the first request; repeat this one after `Retry-After` to get its answer.")
    public static let versionMismatch = ProblemCode(
        "version-mismatch", 412, "The resource has changed since you read it",
        advice: "Read it again, apply your change to what is there now, and send the new ETag in `If-Match`.")
    public static let payloadTooLarge = ProblemCode(
        "payload-too-large", 413, "The body is too large", advice: "Send less at once.")
    public static let unsupportedMediaType = ProblemCode(
        "unsupported-media-type", 415, "The body's media type is not taken here",
        advice: "Send `Content-Type: application/json` (PATCH also takes `application/merge-patch+json`).")
    public static let idempotencyKeyReused = ProblemCode(
        "idempotency-key-reused", 422, "The Idempotency-Key was used for another request",
        advice: "Make a new key for each new request; repeat a key only with exactly the same body.")
    public static let idempotencyKeyRequired = ProblemCode(
        "idempotency-key-required", 400, "This route needs an Idempotency-Key",
        advice: "Send a fresh UUID in `Idempotency-Key`, and the same one when you repeat the request.")
    public static let preconditionRequired = ProblemCode(
        "precondition-required", 428, "This change needs If-Match",
        advice: "Read the resource and send its `ETag` in `If-Match`.")
    public static let quotaExceeded = ProblemCode(
        "quota-exceeded", 429, "Too many requests",
        advice:
            "Wait for `Retry-After` seconds; the `RateLimit` header tells what is left before it comes to this."
    )
    public static let unknownVersion = ProblemCode(
        "unknown-version", 400, "There is no such version of the API",
        advice: "Leave `Infinity-Version` out, or send one that the detail names.")
    public static let requestTimeout = ProblemCode(
        "request-timeout", 408, "The request did not arrive in time", advice: "Send it again.")
    public static let uriTooLong = ProblemCode(
        "uri-too-long", 414, "The address is too long", advice: "Send fewer or shorter parameters.")
    public static let headersTooLarge = ProblemCode(
        "headers-too-large", 431, "The header fields are too large", advice: "Send fewer or shorter headers.")
    public static let expectationFailed = ProblemCode(
        "expectation-failed", 417, "The expectation cannot be met", advice: "Leave `Expect` out.")
    public static let badRequest = ProblemCode(
        "bad-request", 400, "The HTTP message is not valid", advice: "The detail names what is wrong with it."
    )
    public static let internalError = ProblemCode(
        "internal-error", 500, "Something went wrong on our side",
        advice: "Nothing is wrong with the request. Try again; if it stays, tell support the `request_id`.")
    public static let notImplemented = ProblemCode(
        "not-implemented", 501, "The method or transfer coding is not known here",
        advice: "Use HTTP/1.1's own.")
    public static let unavailable = ProblemCode(
        "unavailable", 503, "The service cannot answer just now",
        advice: "Try again after `Retry-After` seconds.")
    public static let timedOut = ProblemCode(
        "timed-out", 503, "The work took too long and was stopped",
        advice: "Try again, or ask for less at once. A change that was cut off has not happened.")
    public static let versionNotSupported = ProblemCode(
        "http-version-not-supported", 505, "Only HTTP/1.1 and HTTP/1.0 are spoken here",
        advice: "Use HTTP/1.1.")

    /// In the order of docs/errors.md.
    public static let general: [ProblemCode] = [
        badRequest, malformedRequest, unknownVersion, invalidCursor, idempotencyKeyRequired, unauthorized,
        forbidden, companyRequired,
        notFound, methodNotAllowed, notAcceptable, requestTimeout, conflict, requestInFlight, versionMismatch,
        payloadTooLarge, uriTooLong, unsupportedMediaType, expectationFailed, invalidRequest,
        idempotencyKeyReused,
        preconditionRequired, quotaExceeded, headersTooLarge, internalError, notImplemented, unavailable,
        timedOut,
        versionNotSupported,
    ]
}
