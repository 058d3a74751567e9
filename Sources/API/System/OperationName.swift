import HTTP

/// The name of a route for generated clients: a verb and what it is about.
enum OperationName {
    /// `GET /v1/teams/{id}/members` → `listTeamMembers`.
    static func make(_ route: Route) -> String {
        let words = route.path.split(separator: "/").filter { !$0.hasPrefix("{") && $0 != "v1" }
        let isOne = route.path.hasSuffix("}")
        var name = verb(route, isOne: isOne)
        for (index, word) in words.enumerated() {
            let isSubject = index == words.count - 1
            let isSingular = !isSubject || isOne || route.method == .post
            name += camel(isSingular ? singular(String(word)) : String(word))
        }
        return name
    }

    private static func verb(_ route: Route, isOne: Bool) -> String {
        switch route.method {
        case .get, .head:
            if case .page = route.output.shape { "list" } else { "get" }
        case .post: "create"
        case .put: "put"
        case .patch: "update"
        case .delete: "delete"
        case .options: "options"
        }
    }

    private static func camel(_ word: String) -> String {
        word.split(whereSeparator: { !$0.isLetter && !$0.isNumber }).map {
            $0.prefix(1).uppercased() + $0.dropFirst()
        }.joined()
    }

    private static func singular(_ word: String) -> String {
        if word.hasSuffix("ies") { return word.dropLast(3) + "y" }
        if word.hasSuffix("sses") || word.hasSuffix("xes") || word.hasSuffix("ches") {
            return String(word.dropLast(2))
        }
        return word.hasSuffix("s") && !word.hasSuffix("ss") && !word.hasSuffix("us") && word != "me"
            ? String(word.dropLast()) : word
    }
}
