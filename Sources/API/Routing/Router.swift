import Glibc
import HTTP

/// Finds the route for a method and a path: a tree of segments in which a literal goes before a parameter.
///
/// A path of literals is matched in place, without an allocation.
struct Router: Sendable {
    enum Match {
        case route(Int, parameters: [String])
        /// The address exists, for these methods.
        case otherMethods([Method])
        case none
    }

    private struct Node: Sendable {
        var literals: [(bytes: [UInt8], node: Int)] = []
        var parameter: Int?
        /// The route of each method, by its raw value.
        var routes = [Int?](repeating: nil, count: Method.allCases.count)
    }

    private var nodes = [Node()]

    /// Throws when another route has the same method and shape.
    mutating func add(_ method: Method, _ template: PathTemplate, route: Int) throws(WiringFault) {
        var at = 0
        for segment in template.segments {
            switch segment {
            case .literal(let word): at = child(of: at, literal: Array(word.utf8))
            case .parameter: at = parameterChild(of: at)
            }
        }
        guard nodes[at].routes[Int(method.rawValue)] == nil else {
            throw WiringFault("\(method.name) \(template.shape) is declared twice")
        }
        nodes[at].routes[Int(method.rawValue)] = route
    }

    private mutating func child(of parent: Int, literal: [UInt8]) -> Int {
        if let known = nodes[parent].literals.first(where: { $0.bytes == literal }) { return known.node }
        nodes.append(Node())
        nodes[parent].literals.append((literal, nodes.count - 1))
        return nodes.count - 1
    }

    private mutating func parameterChild(of parent: Int) -> Int {
        if let known = nodes[parent].parameter { return known }
        nodes.append(Node())
        nodes[parent].parameter = nodes.count - 1
        return nodes.count - 1
    }

    /// - Parameter path: as it was sent; it begins with "/".
    func match(_ method: Method, _ path: UnsafeRawBufferPointer) -> Match {
        // An escaped letter is the same letter (RFC 3986 section 6.2.2.2); hardly anybody sends one.
        if memchr(path.baseAddress!, Int32(UInt8(ascii: "%")), path.count) != nil {
            return Self.withPlainLetters(path) { search(method, $0) }
        }
        return search(method, path)
    }

    private func search(_ method: Method, _ path: UnsafeRawBufferPointer) -> Match {
        var search = Search(method: method, path: path)
        if let route = find(0, from: 1, &search) {
            return .route(route, parameters: search.parameters.map { Self.decoded(path[$0]) })
        }
        return search.others.isEmpty ? .none : .otherMethods(search.others)
    }

    private struct Search {
        let method: Method
        let path: UnsafeRawBufferPointer
        var parameters: [Range<Int>] = []
        var others: [Method] = []
    }

    /// The route in the tree under `node` for the path from `start` on.
    private func find(_ node: Int, from start: Int, _ search: inout Search) -> Int? {
        let path = search.path
        if start > path.count { return route(at: node, &search) }
        // "/" alone has no segment.
        if start == 1, path.count == 1 { return route(at: node, &search) }
        var end = start
        while end < path.count, path[end] != UInt8(ascii: "/") { end += 1 }
        let length = end - start
        for literal in nodes[node].literals where literal.bytes.count == length {
            let isSame = literal.bytes.withUnsafeBytes {
                memcmp($0.baseAddress!, path.baseAddress! + start, length) == 0
            }
            guard isSame else { continue }
            if let route = find(literal.node, from: end + 1, &search) { return route }
            // The resource is there, for other methods: its name is not to be taken for somebody's id.
            if !search.others.isEmpty { return nil }
        }
        guard let parameter = nodes[node].parameter, length > 0 else { return nil }
        search.parameters.append(start..<end)
        if let route = find(parameter, from: end + 1, &search) { return route }
        search.parameters.removeLast()
        return nil
    }

    private func route(at node: Int, _ search: inout Search) -> Int? {
        let routes = nodes[node].routes
        if let route = routes[Int(search.method.rawValue)] { return route }
        // HEAD is GET without the body (RFC 9110 section 9.3.2).
        if search.method == .head, let route = routes[Int(Method.get.rawValue)] { return route }
        search.others = Method.allCases.filter { routes[Int($0.rawValue)] != nil }
        return nil
    }

    private static func decoded(_ bytes: Slice<UnsafeRawBufferPointer>) -> String {
        guard bytes.contains(UInt8(ascii: "%")) else { return String(decoding: bytes, as: UTF8.self) }
        return String(decoding: PercentText.decode(bytes), as: UTF8.self)
    }

    private static func withPlainLetters<Value>(
        _ path: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Value
    ) -> Value {
        PercentText.unescapingLetters(path).withUnsafeBytes(body)
    }
}
