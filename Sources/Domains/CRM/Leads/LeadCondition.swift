import API
import Core
import Postgres
import Wire

/// What a rule asks of a lead: one field, how it is compared, and with what.
struct LeadCondition: Codable, Sendable, FieldNotes {
    enum Sign: String, Codable, CaseIterable, Sendable {
        case anyOf = "any_of"
        case noneOf = "none_of"
        case contains
        case atLeast = "at_least"
        case atMost = "at_most"
        case isSet = "is_set"
        case notSet = "not_set"
    }

    let field: Field
    let sign: Sign
    let values: UpTo<50, Text<200>>?

    static let fieldNotes = [
        "values":
            "Texts are compared without regard to case; `at_least` and `at_most` compare numbers with the first."
    ]

    /// `source_id`, `utm.campaign`, `custom.size` …
    struct Field: TextValue {
        let text: String
        init(unchecked text: String) { self.text = text }

        static let known = [
            "source_id", "source", "channel", "country", "status", "owner_id", "value_minor", "currency",
            "title",
            "client_name", "message", "email_domain", "score",
        ]
        static var rule: TextRule {
            TextRule(length: 1...80) { text in
                if known.contains(text) { return nil }
                let isOpen = ["utm.", "custom."].contains {
                    text.hasPrefix($0) && text.utf8.count > $0.utf8.count
                }
                return isOpen ? nil : "must be one of \(known.joined(separator: ", ")), or utm.… or custom.…"
            }
        }
        static var exampleText: String { "country" }
    }

    /// Whether it holds, and what was there instead of it.
    func check(_ facts: LeadFacts) -> Outcome {
        let found = facts[field.text].map { $0.lowercased() }
        let wanted = (values?.items ?? []).map { $0.text.lowercased() }
        let holds =
            switch sign {
            case .isSet: !found.isEmpty
            case .notSet: found.isEmpty
            case .anyOf: found.contains(where: wanted.contains)
            case .noneOf: !found.contains(where: wanted.contains)
            case .contains: found.contains { text in wanted.contains { text.contains($0) } }
            case .atLeast: compare(found, wanted, >=)
            case .atMost: compare(found, wanted, <=)
            }
        return Outcome(field: field.text, sign: sign, wanted: wanted, found: found, holds: holds)
    }

    private func compare(_ found: [String], _ wanted: [String], _ order: (Double, Double) -> Bool) -> Bool {
        guard let one = found.first.flatMap(Double.init), let other = wanted.first.flatMap(Double.init) else {
            return false
        }
        return order(one, other)
    }

    struct Outcome: Codable, Sendable {
        let field: String
        let sign: Sign
        let wanted: [String]
        let found: [String]
        let holds: Bool
    }
}

/// What rules may ask about one lead, as texts.
struct LeadFacts: Sendable {
    var values: [String: [String]] = [:]

    subscript(field: String) -> [String] { values[field] ?? [] }

    func meets(_ conditions: [LeadCondition]) -> Bool { conditions.allSatisfy { $0.check(self).holds } }

    mutating func set(_ field: String, _ text: String?) {
        if let text, !text.isEmpty { values[field] = [text] }
    }

    mutating func set(all json: JSON, under prefix: String) {
        for (key, value) in json.objectValue?.members ?? [] {
            let texts = (value.arrayValue ?? [value]).compactMap(Self.text)
            if !texts.isEmpty { values["\(prefix).\(key)"] = texts }
        }
    }

    private static func text(_ value: JSON) -> String? {
        switch value {
        case .string(let text): text
        case .number(let number): number.text
        case .bool(let flag): flag ? "true" : "false"
        case .null, .array, .object: nil
        }
    }

    @inline(never)
    static func load(_ leads: [UUID], _ company: UUID, _ tx: Transaction) async throws -> [UUID: LeadFacts] {
        let rows = try await tx.query(
            """
            SELECT l.id, l.source_id::text AS source_id, s.name AS source, s.channel, l.country, l.status,
                   l.owner_id::text AS owner_id, l.value_minor::text AS value_minor, l.currency, l.title, l.client_name,
                   l.message, split_part(c.email, '@', 2) AS email_domain, l.score::text AS score, l.utm::text AS utm,
                   l.custom::text AS custom
              FROM leads l
              JOIN contacts c ON c.company_id = l.company_id AND c.id = l.contact_id
              LEFT JOIN lead_sources s ON s.company_id = l.company_id AND s.id = l.source_id
             WHERE l.company_id = \(company) AND l.id = ANY(\(leads)::uuid[])
            """)
        var all: [UUID: LeadFacts] = [:]
        for row in rows {
            var facts = LeadFacts()
            for field in LeadCondition.Field.known { facts.set(field, try row.get(field, as: String?.self)) }
            facts.set(all: try JSON.parse(row.get("utm", as: String.self)), under: "utm")
            facts.set(all: try JSON.parse(row.get("custom", as: String.self)), under: "custom")
            all[try row.get("id")] = facts
        }
        return all
    }
}

extension [LeadCondition] {
    /// As they are kept in a column.
    var stored: JSONText {
        get throws { JSONText(try JSON(encoding: self)) }
    }

    init(stored text: String) throws { self = try JSON.parse(text).decode() }
}
