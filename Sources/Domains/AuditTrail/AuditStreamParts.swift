import API
import Core
import Crypto
import Loop
import Outbound
import Postgres
import Wire

/// What streams are sent with; made once at the start.
struct AuditStreamParts: Sendable {
    let client: HTTPClient
    /// Plain http is for trying things out, and for networks the operator has allowed.
    let allowsHTTP: Bool
    private let ring: KeyRing

    init(_ environment: Environment) {
        let settings = environment[Settings.self]
        ring = environment[KeyRing.self]
        allowsHTTP = settings.mode == .development || !settings.webhookAllowedRanges.isEmpty
        var configuration = HTTPClient.Configuration()
        configuration.userAgent = "Infinity-Audit/1"
        configuration.ssrfGuard = SSRFGuard(allowed: settings.webhookAllowedRanges)
        client = HTTPClient(
            loops: environment[LoopGroup.self], resolver: .names, configuration: configuration)
    }

    static func context(_ stream: String) -> String { "audit stream \(stream)" }

    /// Bound to the stream, so that what is copied to another does not open.
    func sealed(_ fields: [HeaderField], of stream: UUID) -> (names: [String], sealed: [UInt8]?) {
        guard let (names, json) = HeaderField.split(fields) else { return ([], nil) }
        return (names, ring.seal(Array(json.utf8), context: Self.context(stream.description)))
    }

    func headers(_ sealed: [UInt8], of stream: UUID) throws -> [(name: String, value: String)] {
        let bytes = try ring.open(sealed, context: Self.context(stream.description))
        return try HeaderField.fields(String(decoding: bytes, as: UTF8.self))
    }

    struct Outcome: Sendable {
        var status: Int?
        /// Nil when the receiver has taken it.
        var error: String?
        var retryAfter: Duration?
    }

    func post(_ body: [UInt8], to target: AuditStreamTarget) async -> Outcome {
        let request = HTTPClient.Request(
            "POST", target.url, headers: target.headers + [("content-type", target.format.contentType)],
            body: body,
            deadlines: .init(firstByte: AuditLimits.streamDeadline, total: AuditLimits.streamDeadline),
            responseBytesMax: 64 << 10)
        do throws(TransferError) {
            let response = try await client.send(request)
            let text = String(decoding: (try? await response.body.collect()) ?? [], as: UTF8.self)
            guard !(200..<300).contains(response.status) else { return Outcome(status: response.status) }
            let seconds = response.header("retry-after").flatMap { Int($0) }
            return Outcome(
                status: response.status, error: Self.sentence(response.status, text),
                retryAfter: seconds.map { min(.seconds($0), AuditLimits.pauseMax) })
        } catch {
            return Outcome(error: "the receiver could not be reached: \(error)")
        }
    }

    private static func sentence(_ status: Int, _ answer: String) -> String {
        let said = answer.unicodeScalars.filter { $0.value >= 32 }.prefix(AuditLimits.answerBytesKept)
        return "status \(status)" + (said.isEmpty ? "" : ": \(String(String.UnicodeScalarView(said)))")
    }
}

/// A stream as it is sent to.
struct AuditStreamTarget: Sendable {
    let name: String
    let url: String
    let format: AuditStreamFormat
    let headers: [(name: String, value: String)]
    let sentSeq: Int64
    let isActive: Bool

    static func select(_ id: UUID, _ company: UUID) -> SQL {
        """
        SELECT name, url, format, headers_sealed, sent_seq, is_active
          FROM audit_streams WHERE company_id = \(company) AND id = \(id)
        """
    }

    init(_ row: Row, of id: UUID, _ parts: AuditStreamParts) throws {
        name = try row.get("name")
        url = try row.get("url")
        format = try row.get("format")
        sentSeq = try row.get("sent_seq")
        isActive = try row.get("is_active")
        headers = try row.get("headers_sealed", as: [UInt8]?.self).map { try parts.headers($0, of: id) } ?? []
    }
}
