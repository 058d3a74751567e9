import HTTP
import Wire

/// How answers lead on to other operations: what has been made or listed can be read, changed and deleted under its id.
/// Tools that try one call after the other go by these.
struct OperationLinks {
    let routes: [Route]

    /// The operations whose one further parameter is told by an item of this route's answer.
    func links(from route: Route) -> JSON? {
        guard let (item, place) = Self.item(of: route) else { return nil }
        var links = JSON.Object()
        for next in routes {
            guard let parameter = Self.parameter(of: next.path, behind: route.path),
                let id = next.operationId,
                let field = [parameter, "id"].first(where: { item[$0] != nil })
            else { continue }
            var parameters = JSON.Object()
            for name in (try? PathTemplate(route.path))?.parameters ?? [] {
                parameters[name] = .string("$request.path.\(name)")
            }
            parameters[parameter] = .string("$response.body#\(place)/\(field)")
            links[id] = ["operationId": .string(id), "parameters": .object(parameters)]
        }
        return links.isEmpty ? nil : .object(links)
    }

    /// The object that an answer is about, and where it stands in it.
    private static func item(of route: Route) -> (ObjectSchema, place: String)? {
        switch route.output.shape {
        case .single(let schema) where route.method == .post:
            if case .object(let object) = schema.kind { (object, "") } else { nil }
        case .page(let schema):
            if case .object(let object) = schema.kind { (object, "/data/0") } else { nil }
        case .single, .empty, .media: nil
        }
    }

    /// `id` of `/v1/teams/{id}/members` behind `/v1/teams`; nil when there is another parameter, or none.
    private static func parameter(of path: String, behind base: String) -> String? {
        guard path.hasPrefix(base + "/{") else { return nil }
        let rest = path.dropFirst(base.count + 2)
        guard let end = rest.firstIndex(of: "}"), !rest[end...].contains("{") else { return nil }
        return String(rest[..<end])
    }
}
