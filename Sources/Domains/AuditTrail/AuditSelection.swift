import API
import Postgres
import Wire

/// Which changes a file, a link or a search is about.
struct AuditSelection: Codable, Sendable, FieldNotes {
    let q: Text<200>?
    let action: UpTo<20, Text<80>>?
    let from: Timestamp?
    let until: Timestamp?

    static let fieldNotes = [
        "q": "Terms that must all hold, as in the search.",
        "action": "`member.*` stands for all that begin with `member.`",
        "until": "Changes before this time.",
    ]

    static let everything = AuditSelection(q: nil, action: nil, from: nil, until: nil)

    /// What must hold of the act `a`, each beginning with AND.
    func conditions() throws(Problem) -> SQL {
        var all: [SQL] = []
        if let q { all += try AuditQuery(q.text).conditions }
        if let action, !action.items.isEmpty { all.append(AuditQuery.action(action.items.map(\.text))) }
        if let from { all.append("a.at >= \(from)") }
        if let until { all.append("a.at < \(until)") }
        return AuditQuery.and(all)
    }

    init(q: Text<200>?, action: UpTo<20, Text<80>>?, from: Timestamp?, until: Timestamp?) {
        (self.q, self.action, self.from, self.until) = (q, action, from, until)
    }

    /// As it is kept and told: what was given, and nothing else.
    var stored: JSON {
        get throws {
            var object = JSON.Object()
            for (key, value) in try JSON(encoding: self).objectValue?.members ?? [] where value != .null {
                object[key] = value
            }
            return .object(object)
        }
    }

    init(stored text: String) throws { self = try JSON.parse(text).decode() }
}

extension AuditQuery {
    static func and(_ conditions: [SQL]) -> SQL {
        conditions.isEmpty ? "" : " AND \(fragment: conditions.joined(separator: " AND "))"
    }
}
