/// Sends callers of the plain port to the encrypted one.
struct Redirect: Sendable {
    let port: Int

    func answer(to request: Request) -> Response {
        // The name the client used, without its port; an IPv6 literal keeps its brackets.
        let field = request.hostField
        let name: Substring
        if field.first == "[", let end = field.firstIndex(of: "]") {
            name = field[...end]
        } else {
            name = field.prefix { $0 != ":" }
        }
        guard !name.isEmpty else { return Response(status: 400) }
        let authority = port == 443 ? String(name) : "\(name):\(port)"
        // 301 lets old clients turn POST into GET; 307 keeps the method (308 is not followed by some).
        var response = Response(status: request.method == .get || request.method == .head ? 301 : 307)
        response.headers.add(
            "location", "https://\(authority)\(request.path)\(request.query.map { "?" + $0 } ?? "")")
        return response
    }
}
