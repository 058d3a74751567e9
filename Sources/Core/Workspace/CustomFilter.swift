import API
import Postgres
import Wire

/// The part of a list's filter that asks for custom fields: `custom[size]=s,m`, `custom[price][gte]=100`.
///
///     struct TaskFilter: ListFilter {
///         let custom: CustomFilter?
///         static let ownFields: Set<String> = ["custom"]
///     }
///     if let custom = list.custom { sql += " AND \(fragment: try await fields.condition(custom, …))" }
public struct CustomFilter: Codable, Sendable, SchemaSource {
    /// `size` or `price[gte]`, and what it is compared with.
    public let terms: [String: String]

    public init(_ terms: [String: String]) { self.terms = terms }

    public init(from decoder: any Decoder) throws { terms = try [String: String](from: decoder) }
    public func encode(to encoder: any Encoder) throws { try terms.encode(to: encoder) }

    public static var schema: Schema {
        Schema(
            .map(Schema(.text(TextRule(length: 1...200)))),
            note:
                "Custom fields by their keys: `custom[size]=s,m` for any of them, `custom[price][gte]=100` (`gt`, `lte`, "
                + "`lt`) for numbers and days.",
            example: ["size": "m"])
    }
    public static var sample: CustomFilter { CustomFilter([:]) }
}

extension CustomFields {
    /// A condition on a column of custom values. What is no field, or no value of it, is told as a fault of the
    /// parameter. A field of one key in several scopes is asked for in all of them.
    ///
    /// - Parameters:
    ///   - column: as `t.custom`.
    ///   - scope: the one the list is of, if it is of one.
    @inline(never)
    public func condition(
        _ filter: CustomFilter, on column: String, of kind: String, scope: UUID? = nil, company: UUID
    ) async throws -> SQL {
        let fields =
            scope == nil
            ? try await everyField(of: kind, company: company)
            : try await self.fields(of: kind, scope: scope, company: company)
        var conditions: [SQL] = []
        var faults: [Fault] = []
        for (term, text) in filter.terms.sorted(by: { $0.key < $1.key }) {
            let key = String(term.prefix { $0 != "[" })
            let sign = String(term.dropFirst(key.count))
            let parameter = "custom[\(key.prefix(60))]\(sign.prefix(20))"
            let meant = fields.filter { $0.key == key }
            guard !meant.isEmpty else {
                faults.append(.parameter(parameter, "unknown-field", "is no custom field here"))
                continue
            }
            let any = meant.compactMap { $0.condition(sign, text, on: column) }
            if any.isEmpty {
                faults.append(
                    .parameter(
                        parameter, "invalid",
                        "is no value or no comparison for a field of type \(meant[0].type.rawValue)"))
            } else {
                conditions.append("(\(fragment: any.joined(separator: " OR ")))")
            }
        }
        let problem: Problem? = faults.isEmpty ? nil : .unprocessable(faults)
        if let problem { throw problem }
        return conditions.isEmpty ? "TRUE" : conditions.joined(separator: " AND ")
    }
}

extension CustomField {
    /// Nil when the text is no value of this field, or it cannot be compared so.
    func condition(_ sign: String, _ text: String, on column: String) -> SQL? {
        if sign.isEmpty { return equals(text, on: column) }
        guard let comparison = ["[gte]": ">=", "[gt]": ">", "[lte]": "<=", "[lt]": "<"][sign] else {
            return nil
        }
        switch type {
        case .number, .money:
            guard let number = Double(text), number.isFinite else { return nil }
            // The CASE keeps the cast from what is no number, whatever the order in which conditions are tried.
            return """
                (CASE WHEN jsonb_typeof(\(unescaped: column) -> \(key)) = 'number'
                      THEN (\(unescaped: column) ->> \(key))::double precision END) \(unescaped: comparison) \(number)
                """
        case .date:
            guard let day = LocalDate(text) else { return nil }
            // Days as text sort as days.
            return
                "(\(unescaped: column) ->> \(key)) COLLATE \"C\" \(unescaped: comparison) \(day.description)"
        case .text, .boolean, .select, .multiSelect, .member, .url: return nil
        }
    }

    /// Any of the values between commas; texts and addresses stand for themselves.
    private func equals(_ text: String, on column: String) -> SQL? {
        let parts = type == .text || type == .url ? [text] : text.split(separator: ",").map(String.init)
        let values = parts.compactMap(value)
        guard !parts.isEmpty, values.count == parts.count else { return nil }
        // Containment, for it is what an index on the whole column can answer.
        let any = values.map { value -> SQL in
            let wanted: JSON = [key: type == .multiSelect ? [value] : value]
            return "\(unescaped: column) @> \(JSONText(wanted))::jsonb"
        }
        return "(\(fragment: any.joined(separator: " OR ")))"
    }

    private func value(_ text: String) -> JSON? {
        let json: JSON
        switch type {
        case .text, .date, .member, .url, .select, .multiSelect: json = .string(text)
        case .number, .money: json = (try? JSON.parse(text)) ?? .null
        case .boolean: json = text == "true" ? true : text == "false" ? false : .null
        }
        if type == .multiSelect { return options.contains { $0.key == text } ? json : nil }
        guard case .success(let kept) = kept(json), kept != .null else { return nil }
        return kept
    }
}
