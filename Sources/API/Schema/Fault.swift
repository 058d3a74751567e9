/// One thing wrong with a request, and where.
public struct Fault: Sendable, Equatable {
    public enum Place: Sendable, Equatable {
        /// A JSON Pointer into the body.
        case body(String)
        /// A parameter of the query, the path or a header.
        case parameter(String)
    }

    public let place: Place
    public let code: String
    public let detail: String
    /// The request is not well formed (400), as against well formed and not acceptable (422).
    public let isSyntax: Bool

    public init(_ place: Place, _ code: String, _ detail: String, isSyntax: Bool = false) {
        self.place = place
        self.code = code
        self.detail = detail
        self.isSyntax = isSyntax
    }

    public static func at(_ pointer: String, _ code: String, _ detail: String) -> Fault {
        Fault(.body(pointer), code, detail)
    }

    public static func parameter(_ name: String, _ code: String, _ detail: String) -> Fault {
        Fault(.parameter(name), code, detail)
    }
}
