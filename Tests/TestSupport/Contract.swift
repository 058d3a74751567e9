import API
import Wire

/// Holds every answer a test sees against what the route declares, so that the published contract cannot lie.
public struct Contract: Sendable {
    private let routes: [Route]

    public init(_ routes: [Route]) { self.routes = routes }

    /// The route that answers this path: of several that fit, the one with the most literal segments.
    public func route(_ method: String, _ path: String) -> Route? {
        let asked = Self.segments(path)
        return
            routes
            .filter { "\($0.method.name)" == method || ("\($0.method.name)" == "GET" && method == "HEAD") }
            .filter { Self.fits(Self.segments($0.path), asked) }
            .max { Self.literals($0.path) < Self.literals($1.path) }
    }

    /// Nil, or what the answer has that was not promised.
    public func breach(_ answer: Answer, _ method: String, _ path: String) -> String? {
        if answer.status >= 400 { return problemBreach(answer) }
        guard let route = route(method, path), method != "HEAD", answer.status != 304 else { return nil }
        let place = "\(method) \(route.path)"
        if answer.status != route.output.status {
            return "\(place) answered \(answer.status) where \(route.output.status) is declared"
        }
        switch route.output.shape {
        case .empty:
            return answer.body.isEmpty ? nil : "\(place) has a body where none is declared: \(answer)"
        case .media:
            return nil
        case .single(let schema):
            return faults(answer.json, schema, place, answer)
        case .page(let schema):
            guard let items = answer.json["data"]?.arrayValue,
                answer.json["page"]?["has_more"]?.boolValue != nil
            else {
                return "\(place) is no page: \(answer)"
            }
            return items.lazy.compactMap { faults($0, schema, place, answer) }.first
        }
    }

    private func faults(_ json: JSON, _ schema: Schema, _ place: String, _ answer: Answer) -> String? {
        let faults = schema.faults(in: json)
        guard !faults.isEmpty else { return nil }
        return "\(place) breaks its schema: \(faults.map { "\($0.place) \($0.detail)" }) in \(answer)"
    }

    private func problemBreach(_ answer: Answer) -> String? {
        guard answer.body.isEmpty == false else { return nil }
        guard answer.header("content-type") == "application/problem+json" else {
            return "a refusal is no problem+json: \(answer)"
        }
        for field in ["type", "title", "code"] where answer.json[field]?.stringValue == nil {
            return "a problem lacks \(field): \(answer)"
        }
        return answer.json["status"]?.intValue == answer.status
            ? nil : "a problem's status differs: \(answer)"
    }

    private static func segments(_ path: String) -> [Substring] {
        path.prefix { $0 != "?" }.split(separator: "/", omittingEmptySubsequences: false)
    }

    private static func fits(_ template: [Substring], _ asked: [Substring]) -> Bool {
        template.count == asked.count && zip(template, asked).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
    }

    private static func literals(_ path: String) -> Int { segments(path).count { !$0.hasPrefix("{") } }
}
