import API
import Postgres
import Wire

/// What `q` says: terms that must all hold, as `action:member.* actor:ada@example.com -target:team`.
///
/// A term without a key is looked for in the action and the type of the target. Quotes hold words together.
struct AuditQuery {
    private(set) var conditions: [SQL] = []

    static let keys = ["action", "actor", "behind", "target", "address", "request", "from", "to"]

    static let grammar =
        "`q` takes terms that must all hold: `action:member.*`, `actor:` (an id, an address, a name, `user`, "
        + "`api_key` or `system`), `behind:`, `target:` (a type, an id or `team:<id>`), `address:`, `request:`, "
        + "`from:` and `to:` (a day or a time). A minus before a term excludes; a word alone is looked for in actions "
        + "and targets."

    init(_ text: String) throws(Problem) {
        for term in Self.terms(of: text) {
            let isExcluded = term.hasPrefix("-") && term.count > 1
            let body = isExcluded ? term.dropFirst() : term[...]
            let condition = try Self.condition(body)
            conditions.append(isExcluded ? "NOT coalesce(\(fragment: condition), false)" : condition)
        }
    }

    /// Words, with what stands in quotes held together.
    private static func terms(of text: String) -> [String] {
        var terms: [String] = [""]
        var isQuoted = false
        for character in text {
            if character == "\"" {
                isQuoted.toggle()
            } else if character == " " && !isQuoted {
                terms.append("")
            } else {
                terms[terms.count - 1].append(character)
            }
        }
        return terms.filter { !$0.isEmpty }
    }

    private static func condition(_ term: Substring) throws(Problem) -> SQL {
        guard let colon = term.firstIndex(of: ":") else {
            let pattern = "%\(SQL.literalPattern(term))%"
            return "(a.action ILIKE \(pattern) OR a.target_type ILIKE \(pattern))"
        }
        let (key, value) = (String(term[..<colon]), term[term.index(after: colon)...])
        guard !value.isEmpty else { throw fault("\(key): says nothing") }
        switch key {
        case "action": return action([String(value)])
        case "actor": return actor(String(value))
        case "behind":
            guard let id = UUID(value) else { throw fault("behind: takes the id of a user") }
            return "a.behind_id = \(id)"
        case "target": return try target(value)
        case "address": return "a.address = \(String(value))"
        case "request": return "a.request_id = \(String(value))"
        case "from": return "a.at >= \(try time(value))"
        case "to": return "a.at < \(try time(value))"
        default: throw fault("\"\(key.prefix(40))\" is no key; there are \(keys.joined(separator: ", "))")
        }
    }

    /// Names of acts, of which `member.*` stands for all that begin with `member.`.
    static func action(_ names: [String]) -> SQL {
        let any = names.map { name -> SQL in
            guard name.hasSuffix("*") else { return "a.action = \(name)" }
            return "a.action LIKE \(SQL.literalPattern(name.dropLast()) + "%")"
        }
        return "(\(fragment: any.joined(separator: " OR ")))"
    }

    private static func actor(_ value: String) -> SQL {
        if let id = UUID(value) { return "a.actor_id = \(id)" }
        if ["user", "api_key", "system"].contains(value) { return "a.actor_kind = \(value)" }
        return """
            EXISTS (SELECT 1 FROM users u
                     WHERE u.id = CASE WHEN a.actor_kind = 'api_key' THEN a.behind_id ELSE a.actor_id END
                       AND (u.email_norm = lower(\(value)) OR u.name ILIKE \("%\(SQL.literalPattern(value))%")))
            """
    }

    private static func target(_ value: Substring) throws(Problem) -> SQL {
        if let id = UUID(value) { return "a.target_id = \(id)" }
        guard let colon = value.firstIndex(of: ":") else { return "a.target_type = \(String(value))" }
        guard let id = UUID(value[value.index(after: colon)...]) else {
            throw fault("target: takes a type, an id, or both as team:<id>")
        }
        return "(a.target_type = \(String(value[..<colon])) AND a.target_id = \(id))"
    }

    private static func time(_ value: Substring) throws(Problem) -> Timestamp {
        if let time = Timestamp(String(value)) ?? Timestamp("\(value)T00:00:00Z") { return time }
        throw fault(
            "\"\(value.prefix(40))\" is neither a day nor a time, as 2026-11-24 or 2026-11-24T09:30:00Z")
    }

    private static func fault(_ sentence: String) -> Problem {
        Problem(.invalidRequest, faults: [.parameter("q", "invalid", sentence)])
    }
}
