import Wire

/// Prints the head of an answer.
enum ResponseHead {
    /// - Parameter length: of the body; nil for a stream that ends when it ends.
    static func write(
        _ response: Response, length: Int?, to request: Request?, isLast: Bool, _ home: ServerLoop
    ) {
        let out = home.out
        out.reserve(256 + response.headers.lines.count)
        writeStatus(response.status, out)
        out.write(home.dateLine)
        out.write(response.headers.lines)
        switch (length, response.status) {
        // Neither has a body, and a length would be that of another answer (RFC 9110 sections 8.6, 15.4.5).
        case (_, 204), (_, 304): break
        case (let length?, _):
            out.write("content-length: ")
            out.write(length)
            out.write("\r\n")
        case (nil, _):
            if request?.minorVersion != 0 { out.write("transfer-encoding: chunked\r\n") }
        }
        if isLast {
            out.write("connection: close\r\n")
        } else if request?.minorVersion == 0 {
            out.write("connection: keep-alive\r\n")
        }
        out.write("\r\n")
    }

    private static func writeStatus(_ status: Int, _ out: ByteWriter) {
        if status == 200 { return out.write("HTTP/1.1 200 OK\r\n") }
        out.write("HTTP/1.1 ")
        out.write(status)
        out.write(" ")
        out.write(phrase(status))
        out.write("\r\n")
    }

    private static func phrase(_ status: Int) -> StaticString {
        switch status {
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 206: "Partial Content"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 303: "See Other"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 308: "Permanent Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 402: "Payment Required"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 411: "Length Required"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 416: "Range Not Satisfiable"
        case 417: "Expectation Failed"
        case 422: "Unprocessable Content"
        case 423: "Locked"
        case 424: "Failed Dependency"
        case 428: "Precondition Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        // A reason phrase may be empty (RFC 9112 section 4).
        default: ""
        }
    }
}
