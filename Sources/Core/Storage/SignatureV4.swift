import Crypto
import HTTP
import Wire

/// Signs requests to S3 by AWS Signature Version 4: in header fields, or in the URL for somebody who has no key.
public struct SignatureV4: Sendable {
    let region: String
    let accessKey: String
    private let secretKey: String

    public init(region: String, accessKey: String, secretKey: String) {
        self.region = region
        self.accessKey = accessKey
        self.secretKey = secretKey
    }

    /// A request as its signature sees it.
    public struct Request: Sendable {
        public let method: String
        /// With its port, unless that is the scheme's own.
        public let host: String
        /// Not yet percent-encoded.
        public let path: String
        public let query: [(name: String, value: String)]

        public init(_ method: String, host: String, path: String, query: [(name: String, value: String)] = [])
        {
            self.method = method
            self.host = host
            self.path = path
            self.query = query
        }

        var encodedPath: String {
            path.split(separator: "/", omittingEmptySubsequences: false).map {
                PercentEncoding.encode(String($0))
            }
            .joined(separator: "/")
        }

        /// Sorted by name, as both the signature and the request want it.
        static func encoded(_ query: [(name: String, value: String)]) -> String {
            query.map { (PercentEncoding.encode($0.name), PercentEncoding.encode($0.value)) }
                .sorted { ($0.0, $0.1) < ($1.0, $1.1) }
                .map { "\($0.0)=\($0.1)" }.joined(separator: "&")
        }
    }

    /// The fields to be added to the request, besides Host.
    public func headers(
        _ request: Request, payload: [UInt8], at time: Timestamp
    ) -> [(name: String, value: String)] {
        let hash = SHA256.digest(payload).hex
        let stamp = time.compact
        let signed = [("host", request.host), ("x-amz-content-sha256", hash), ("x-amz-date", stamp)]
        let signature = sign(request, query: Request.encoded(request.query), signed, payloadHash: hash, stamp)
        let names = signed.map(\.0).joined(separator: ";")
        return [
            ("x-amz-content-sha256", hash), ("x-amz-date", stamp),
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=\(accessKey)/\(scope(stamp)), SignedHeaders=\(names), Signature=\(signature)"
            ),
        ]
    }

    /// Path and query of a URL that is good for so long without any header.
    public func presigned(_ request: Request, seconds: Int, at time: Timestamp) -> String {
        let stamp = time.compact
        let query =
            request.query + [
                ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"), ("X-Amz-Credential", "\(accessKey)/\(scope(stamp))"),
                ("X-Amz-Date", stamp), ("X-Amz-Expires", String(seconds)), ("X-Amz-SignedHeaders", "host"),
            ]
        let encoded = Request.encoded(query)
        let signature = sign(
            request, query: encoded, [("host", request.host)], payloadHash: "UNSIGNED-PAYLOAD", stamp)
        return "\(request.encodedPath)?\(encoded)&X-Amz-Signature=\(signature)"
    }

    private func scope(_ stamp: String) -> String { "\(stamp.prefix(8))/\(region)/s3/aws4_request" }

    private func sign(
        _ request: Request, query: String, _ headers: [(String, String)], payloadHash: String, _ stamp: String
    ) -> String {
        let lines = headers.map { "\($0.0):\($0.1)\n" }.joined()
        let names = headers.map(\.0).joined(separator: ";")
        let canonical =
            "\(request.method)\n\(request.encodedPath)\n\(query)\n\(lines)\n\(names)\n\(payloadHash)"
        let text = "AWS4-HMAC-SHA256\n\(stamp)\n\(scope(stamp))\n\(SHA256.digest(canonical).hex)"
        var key = HMACKey(Array("AWS4\(secretKey)".utf8)).authenticate(String(stamp.prefix(8)))
        for part in [region, "s3", "aws4_request"] { key = HMACKey(key).authenticate(part) }
        return Hex.encode(HMACKey(key).authenticate(text))
    }
}

extension Timestamp {
    /// `20260615T120000Z`.
    var compact: String {
        description.prefix { $0 != "." }.filter { $0 != "-" && $0 != ":" } + "Z"
    }
}
