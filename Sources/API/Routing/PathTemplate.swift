/// A route's path: literal segments and `{parameters}`.
struct PathTemplate: Sendable {
    enum Segment: Sendable, Equatable {
        case literal(String)
        case parameter(String)
    }

    let segments: [Segment]

    /// Throws a sentence when the text is no template.
    init(_ text: String) throws(WiringFault) {
        guard text.hasPrefix("/"), text == "/" || !text.hasSuffix("/") else {
            throw WiringFault("\(text): a path begins with / and does not end with it")
        }
        var segments: [Segment] = []
        for part in text.dropFirst().split(separator: "/", omittingEmptySubsequences: text == "/") {
            if part.hasPrefix("{"), part.hasSuffix("}"), part.count > 2 {
                segments.append(.parameter(String(part.dropFirst().dropLast())))
            } else if part.isEmpty || part.contains(where: { "{}%?# ".contains($0) }) {
                throw WiringFault("\(text): \"\(part)\" is neither a word nor a {parameter}")
            } else {
                segments.append(.literal(String(part)))
            }
        }
        self.segments = segments
        let names = parameters
        if Set(names).count != names.count { throw WiringFault("\(text): a parameter is named twice") }
    }

    var parameters: [String] {
        segments.compactMap { if case .parameter(let name) = $0 { name } else { nil } }
    }

    /// The same for every path that matches the same addresses.
    var shape: String {
        "/" + segments.map { if case .literal(let word) = $0 { word } else { "{}" } }.joined(separator: "/")
    }
}

/// A mistake in how the routes were put together; it stops the start.
public struct WiringFault: Error, Sendable, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}
