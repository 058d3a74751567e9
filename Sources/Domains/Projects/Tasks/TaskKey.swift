import API
import Postgres
import Wire

/// What people call a task by: the project's key and the number, as `WEB-142`.
struct TaskKey: TextValue {
    let text: String
    init(unchecked text: String) { self.text = text }

    static var rule: TextRule {
        TextRule(length: 4...20, pattern: "^[A-Za-z][A-Za-z0-9]{1,9}-[1-9][0-9]{0,8}$") { text in
            let parts = text.split(separator: "-", omittingEmptySubsequences: false)
            let isKey =
                parts.count == 2 && (2...10).contains(parts[0].utf8.count)
                && (1...9).contains(parts[1].utf8.count)
                && parts[0].utf8.allSatisfy {
                    (0x30...0x39).contains($0) || (0x41...0x5A).contains($0 & 0xDF)
                }
                && (0x41...0x5A).contains(parts[0].utf8.first! & 0xDF)
                && parts[1].utf8.allSatisfy { (0x30...0x39).contains($0) } && parts[1].utf8.first != 0x30
            return isKey ? nil : "is no key like WEB-142"
        }
    }
    static var exampleText: String { "WEB-142" }
    static func tidied(_ text: String) -> String { text.uppercased() }

    private var project: String { String(text.prefix { $0 != "-" }) }
    private var number: Int { Int(text.drop { $0 != "-" }.dropFirst()) ?? 0 }

    /// A statement that gives the id of the task, also when it has gone to another project since.
    func lookUp(_ company: UUID) -> SQL {
        """
        SELECT x.id FROM projects xp JOIN tasks x ON x.company_id = xp.company_id AND x.project_id = xp.id AND x.number = \(number)
         WHERE xp.company_id = \(company) AND xp.key = \(project)
        UNION ALL
        SELECT k.task_id FROM projects xp
          JOIN task_keys k ON k.company_id = xp.company_id AND k.project_id = xp.id AND k.number = \(number)
         WHERE xp.company_id = \(company) AND xp.key = \(project)
         LIMIT 1
        """
    }
}
