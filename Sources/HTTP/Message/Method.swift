import Glibc

/// The methods this server knows; any other is answered with 501 before it reaches a responder.
public enum Method: UInt8, Sendable, CaseIterable {
    case get, head, post, put, patch, delete, options

    public var name: StaticString {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .patch: "PATCH"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        }
    }

    /// Asking changes nothing (RFC 9110 section 9.2.1).
    public var isSafe: Bool {
        switch self {
        case .get, .head, .options: true
        case .post, .put, .patch, .delete: false
        }
    }

    init?(_ bytes: UnsafeRawBufferPointer) {
        // Methods are case-sensitive (RFC 9110 section 9.1).
        func spells(_ method: Method) -> Bool {
            let name = method.name
            return name.utf8CodeUnitCount == bytes.count
                && memcmp(name.utf8Start, bytes.baseAddress!, bytes.count) == 0
        }
        guard let first = bytes.first else { return nil }
        let candidates: (Method, Method?, Method?) =
            switch first {
            case UInt8(ascii: "G"): (.get, nil, nil)
            case UInt8(ascii: "P"): (.post, .patch, .put)
            case UInt8(ascii: "H"): (.head, nil, nil)
            case UInt8(ascii: "D"): (.delete, nil, nil)
            default: (.options, nil, nil)
            }
        if spells(candidates.0) {
            self = candidates.0
            return
        }
        if let second = candidates.1, spells(second) {
            self = second
            return
        }
        if let third = candidates.2, spells(third) {
            self = third
            return
        }
        return nil
    }
}
