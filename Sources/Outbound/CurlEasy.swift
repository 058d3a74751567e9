import CCurl
import Glibc
import Wire

/// One transfer's handle of libcurl with all that must live as long as it.
///
/// For one loop's thread; out of its multi handle before it is let go.
final class CurlEasy {
    let handle: UnsafeMutableRawPointer
    private var lists: [CURLoption.RawValue: UnsafeMutablePointer<curl_slist>] = [:]
    private let errorText: UnsafeMutablePointer<CChar>
    /// libcurl reads it when the transfer begins, which is after `launch` has returned.
    private var url: CurlURL?

    init() {
        _ = Self.prepared
        guard let handle = curl_easy_init() else {
            preconditionFailure("libcurl has no memory for a transfer")
        }
        self.handle = handle
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.pointee = 0
        curl_set_pointer(handle, CURLOPT_ERRORBUFFER, errorText)
        // Without it libcurl plays with the process's signals, which no library in a threaded server may.
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        set(CURLOPT_MAXAGE_CONN, OutboundLimits.idleConnectionSeconds)
        set(CURLOPT_TCP_KEEPALIVE, 1)
        // An empty name keeps proxies of the process's environment out.
        set(CURLOPT_PROXY, "")
    }

    deinit {
        curl_easy_cleanup(handle)
        for list in lists.values { curl_slist_free_all(list) }
        errorText.deallocate()
    }

    /// Once a process. A peer that goes away must not end it, and NOSIGNAL leaves that to us.
    private static let prepared: Bool = {
        signal(SIGPIPE, SIG_IGN)
        return curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK
    }()

    func set(_ option: CURLoption, _ value: Int) { curl_set_long(handle, option, value) }
    func set(_ option: CURLoption, _ value: String) { curl_set_text(handle, option, value) }

    /// Puts this list in the place of the one the option had; libcurl keeps no copy of either.
    func replace(_ option: CURLoption, list: [String]) {
        let old = lists.removeValue(forKey: option.rawValue)
        if old == nil, list.isEmpty { return }
        var head: UnsafeMutablePointer<curl_slist>?
        for text in list { head = curl_slist_append(head, text) }
        lists[option.rawValue] = head
        curl_set_pointer(handle, option, head)
        curl_slist_free_all(old)
    }

    /// An entry of CURLOPT_RESOLVE. The plus sign lets libcurl forget it in time instead of keeping every host for ever.
    static func pin(_ host: String, _ port: Int, _ addresses: [IPAddress]) -> String {
        let list = addresses.map { $0.isV4 ? "\($0)" : "[\($0)]" }.joined(separator: ",")
        return "+\(host):\(port):\(list)"
    }

    func set(url: CurlURL) {
        self.url = url
        curl_set_pointer(handle, CURLOPT_CURLU, UnsafeMutableRawPointer(url.handle))
    }

    /// The bytes are copied.
    func set(body: [UInt8]) {
        curl_set_offset(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count))
        body.withUnsafeBytes { bytes in
            // An empty array has no address, and none would make libcurl read the body from elsewhere.
            withUnsafePointer(to: 0 as UInt8) { empty in
                _ = curl_set_pointer(
                    handle, CURLOPT_COPYPOSTFIELDS,
                    UnsafeMutableRawPointer(mutating: bytes.baseAddress ?? UnsafeRawPointer(empty)))
            }
        }
    }

    /// The status of HTTP or the last reply code of SMTP.
    var responseCode: Int {
        var code = 0
        curl_get_long(handle, CURLINFO_RESPONSE_CODE, &code)
        return code
    }

    /// Whether the connection stood, its handshake included.
    var isConnected: Bool {
        var microseconds: curl_off_t = 0
        curl_get_offset(handle, CURLINFO_PRETRANSFER_TIME_T, &microseconds)
        return microseconds > 0
    }

    /// A field of the last answer's head.
    func answerField(_ name: String) -> String? {
        var field: UnsafeMutablePointer<curl_header>?
        guard curl_easy_header(handle, name, 0, UInt32(CURLH_HEADER), -1, &field) == CURLHE_OK else {
            return nil
        }
        return field.flatMap { $0.pointee.value }.map { String(cString: $0) }
    }

    /// What libcurl has to say about the failure, beyond its code.
    var errorDescription: String { String(cString: errorText) }

    func resume() -> CURLcode { curl_easy_pause(handle, CURLPAUSE_CONT) }
}

/// A URL as libcurl itself understands it, so that what is vetted is what is connected to.
final class CurlURL {
    fileprivate let handle: OpaquePointer

    /// Nil for what is no absolute URL of a scheme libcurl has, in ASCII: a host of another script must come in its
    /// `xn--` form, since libcurl turns it by the process's locale, which a server does not have.
    init?(_ text: String, allowsUser: Bool = false) {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), let handle = curl_url() else { return nil }
        let flags = allowsUser ? 0 : UInt32(CURLU_DISALLOW_USER)
        guard curl_url_set(handle, CURLUPART_URL, text, flags) == CURLUE_OK else {
            curl_url_cleanup(handle)
            return nil
        }
        self.handle = handle
    }

    deinit { curl_url_cleanup(handle) }

    var scheme: String { part(CURLUPART_SCHEME) ?? "" }
    /// Without the brackets of version 6.
    var host: String {
        let host = part(CURLUPART_HOST) ?? ""
        return host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
    }
    var port: Int { part(CURLUPART_PORT, UInt32(CURLU_DEFAULT_PORT)).flatMap { Int($0) } ?? 0 }
    var user: String? { part(CURLUPART_USER, UInt32(CURLU_URLDECODE)) }
    var password: String? { part(CURLUPART_PASSWORD, UInt32(CURLU_URLDECODE)) }
    var query: String? { part(CURLUPART_QUERY) }
    var hasExplicitPort: Bool { part(CURLUPART_PORT) != nil }

    private func part(_ part: CURLUPart, _ flags: UInt32 = 0) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        let result = curl_url_get(handle, part, &text, flags)
        // Some failures leave a text behind too.
        defer { curl_free(text) }
        return result == CURLUE_OK ? text.map { String(cString: $0) } : nil
    }
}
