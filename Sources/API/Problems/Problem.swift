import Wire

/// An answer that says no, as RFC 9457 has it: thrown by handlers, printed in one place.
public struct Problem: Error, Sendable {
    public let code: ProblemCode
    /// A sentence for the caller about this very case.
    public var detail: String?
    public var faults: [Fault] = []
    /// Further members for programs to read, as `{"seats": 5}`.
    public var extras: [(name: String, value: JSON)] = []
    public var headers: [(name: StaticString, value: String)] = []

    public init(_ code: ProblemCode, _ detail: String? = nil, faults: [Fault] = []) {
        self.code = code
        self.detail = detail
        self.faults = faults
    }

    public var status: Int { code.status }

    public func with(_ name: String, _ value: JSON) -> Problem {
        var copy = self
        copy.extras.append((name, value))
        return copy
    }

    public func header(_ name: StaticString, _ value: String) -> Problem {
        var copy = self
        copy.headers.append((name, value))
        return copy
    }
}

extension Problem {
    public static let notFound = Problem(.notFound)

    public static func notFound(_ detail: String) -> Problem { Problem(.notFound, detail) }

    /// 401 with the challenge RFC 6750 asks for.
    public static let unauthorized = unauthorized(nil)

    /// - Parameter error: of RFC 6750 section 3.1, as `invalid_token`, when a token was sent and is no good.
    public static func unauthorized(_ detail: String?, error: String? = nil) -> Problem {
        let challenge = #"Bearer realm="infinity""# + (error.map { #", error="\#($0)""# } ?? "")
        return Problem(.unauthorized, detail).header("www-authenticate", challenge)
    }

    public static func forbidden(_ permission: Permission) -> Problem {
        Problem(.forbidden, "This needs the permission \(permission.name).").with(
            "permission", .string(permission.name))
    }

    public static func forbidden(_ detail: String) -> Problem { Problem(.forbidden, detail) }

    public static func conflict(_ code: ProblemCode = .conflict, _ detail: String? = nil) -> Problem {
        Problem(code, detail)
    }

    public static func unprocessable(_ faults: [Fault]) -> Problem {
        Problem(.invalidRequest, nil, faults: faults)
    }

    public static func unprocessable(_ pointer: String, _ code: String, _ detail: String) -> Problem {
        Problem(.invalidRequest, nil, faults: [.at(pointer, code, detail)])
    }

    /// 400 when any of the faults is one of form, 422 when all are of meaning.
    static func faulty(_ faults: [Fault]) -> Problem {
        Problem(faults.contains(where: \.isSyntax) ? .malformedRequest : .invalidRequest, nil, faults: faults)
    }

    static func unknownQuery(_ query: String) -> Problem {
        let name = query.prefix { $0 != "=" && $0 != "&" }.prefix(100)
        return .faulty([
            Fault(
                .parameter(String(name)), "unknown-parameter", "is no parameter here; there are none",
                isSyntax: true)
        ])
    }

    public static func unavailable(retryAfterSeconds: Int, _ detail: String? = nil) -> Problem {
        Problem(.unavailable, detail).header("retry-after", String(retryAfterSeconds))
    }
}

extension Problem {
    /// Prints the body of `application/problem+json`.
    func write(into out: ByteWriter, typeBase: String, instance: String?, requestId: String?) {
        out.write(#"{"type":"#)
        out.writeJSONString("\(typeBase)#\(code.name)")
        out.write(#","title":"#)
        out.writeJSONString(code.title)
        out.write(#","status":"#)
        out.write(code.status)
        member("detail", detail, out)
        member("instance", instance, out)
        member("code", code.name, out)
        member("request_id", requestId, out)
        if !faults.isEmpty { writeFaults(into: out) }
        for (name, value) in extras {
            out.write(",")
            out.writeJSONString(name)
            out.write(":")
            out.write(value)
        }
        out.write("}")
    }

    private func member(_ name: StaticString, _ text: String?, _ out: ByteWriter) {
        guard let text else { return }
        out.write(",\"")
        out.write(name)
        out.write("\":")
        out.writeJSONString(text)
    }

    private func writeFaults(into out: ByteWriter) {
        out.write(#","errors":["#)
        for (index, fault) in faults.enumerated() {
            if index > 0 { out.write(",") }
            switch fault.place {
            case .body(let pointer):
                out.write(#"{"pointer":"#)
                out.writeJSONString(pointer)
            case .parameter(let name):
                out.write(#"{"parameter":"#)
                out.writeJSONString(name)
            }
            member("code", fault.code, out)
            member("detail", fault.detail, out)
            out.write("}")
        }
        out.write("]")
    }
}
