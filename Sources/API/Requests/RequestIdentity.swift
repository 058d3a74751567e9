import HTTP
import Wire

/// The names a request goes by: its id, and the trace it is part of (W3C Trace Context).
struct RequestIdentity: Sendable {
    let given: String?
    /// Made when none was given.
    let own: UUID?
    /// `traceparent` as it came, when it is valid.
    let parent: String?

    init(_ request: Request) {
        let given = request.headerBytes("x-request-id") {
            Self.isAcceptable($0) ? String(decoding: $0, as: UTF8.self) : nil
        }
        self.given = given ?? nil
        own = self.given == nil ? UUID.v7() : nil
        let parent = request.headerBytes("traceparent") {
            Self.isTraceparent($0) ? String(decoding: $0, as: UTF8.self) : nil
        }
        self.parent = parent ?? nil
    }

    var requestId: String { given ?? own?.description ?? "" }

    func addRequestId(to headers: inout ResponseHeaders) {
        if let own {
            own.withText { headers.add("x-request-id", $0) }
        } else if let given {
            headers.add("x-request-id", given)
        }
    }

    var traceId: String {
        if let parent { return String(parent.dropFirst(3).prefix(32)) }
        return own.map { Hex.encode($0.bytes) } ?? Hex.encode(UUID.v7().bytes)
    }

    var traceparent: String {
        let span = Hex.encode(UUID.v7().bytes.suffix(8))
        return "00-\(traceId)-\(span)-\(parent?.suffix(2) ?? "00")"
    }

    /// Letters, digits and a few marks that harm no log and no header.
    private static func isAcceptable(_ bytes: UnsafeRawBufferPointer) -> Bool {
        (1...InputLimits.requestIdLengthMax).contains(bytes.count)
            && bytes.allSatisfy { PercentEncoding.isUnreserved($0) || ":/+=@,".utf8.contains($0) }
    }

    /// `00-` 32 hexadecimal digits `-` 16 `-` 2, in lower case, neither id all zeros.
    private static func isTraceparent(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count == 55, bytes[0] == 0x30, bytes[1] == 0x30, bytes[2] == 0x2D, bytes[35] == 0x2D,
            bytes[52] == 0x2D
        else { return false }
        func isHex(_ range: Range<Int>) -> Bool {
            bytes[range].allSatisfy { ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x61 && $0 <= 0x66) }
        }
        func isZero(_ range: Range<Int>) -> Bool { bytes[range].allSatisfy { $0 == 0x30 } }
        return isHex(3..<35) && isHex(36..<52) && isHex(53..<55) && !isZero(3..<35) && !isZero(36..<52)
    }
}
