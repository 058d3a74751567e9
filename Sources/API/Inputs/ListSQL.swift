import Crypto
import Postgres
import Wire

/// Turns a base statement into one page of it: filter, search, keyset, order, limit. Values are only bound.
struct ListSQL {
    let sort: [SortKey]
    let conditions: [SQL]
    let limit: Int

    init<Filter>(_ list: List<Filter>, after key: [JSON]?) {
        sort = list.sort
        limit = list.limit
        var conditions = Self.filters(list)
        if let q = list.q { conditions.append(Self.search(q, list.shape.search)) }
        if let key { conditions.append(Self.keyset(list.sort, key)) }
        self.conditions = conditions
    }

    /// One row more than the limit, to know whether there is another page.
    func page(of base: SQL, _ frame: ListFrame) -> SQL {
        """
        \(unescaped: frame.head)\(fragment: frame.expanded)\(unescaped: frame.from)\(fragment: base)) AS row\(fragment: whereClause)\
        \(unescaped: frame.order)\(unescaped: String(limit + 1))
        """
    }

    func whole(of base: SQL) -> SQL {
        let order = sort.map { "row.\(Self.quoted($0.column))\($0.isDescending ? " DESC" : "")" }.joined(
            separator: ", ")
        return
            "SELECT row.* FROM (\(fragment: base)) AS row\(fragment: whereClause) ORDER BY \(unescaped: order)"
    }

    func count(of base: SQL) -> SQL {
        """
        SELECT count(*) AS total FROM (SELECT 1 FROM (\(fragment: base)) AS row\(fragment: whereClause) \
        LIMIT \(unescaped: String(InputLimits.countMax + 1))) AS counted
        """
    }

    private var whereClause: SQL {
        conditions.isEmpty ? "" : " WHERE \(fragment: conditions.joined(separator: " AND "))"
    }

    /// Names come from declarations, never from a request.
    static func quoted(_ name: String) -> String { "\"\(name)\"" }

    // MARK: conditions

    private static func filters<Filter>(_ list: List<Filter>) -> [SQL] {
        list.shape.filter.properties.flatMap { property -> [SQL] in
            guard !list.shape.ownFields.contains(property.name), let value = list.filterJSON[property.name],
                value != .null
            else { return [] }
            let column = "row.\(quoted(property.name))"
            switch property.schema.kind {
            case .object(let bounds):
                return bounds.properties.compactMap { bound in
                    guard let value = value[bound.name], let sign = comparison(bound.name) else { return nil }
                    return "\(unescaped: "\(column) \(sign) ")\(bind(value, bound.schema))"
                }
            case .array(let element, _):
                let items = value.arrayValue ?? []
                return ["\(unescaped: column) = ANY(\(bind(items, element)))"]
            default:
                return ["\(unescaped: column) = \(bind(value, property.schema))"]
            }
        }
    }

    private static func comparison(_ bound: String) -> String? {
        switch bound {
        case "gte": ">="
        case "gt": ">"
        case "lte": "<="
        case "lt": "<"
        default: nil
        }
    }

    private static func search(_ q: String, _ columns: [String]) -> SQL {
        let any = columns.map { column in
            "\(unescaped: "row.\(quoted(column))") ILIKE \("%\(SQL.literalPattern(q))%")" as SQL
        }
        return "(\(fragment: any.joined(separator: " OR ")))"
    }

    /// Everything behind the row with this key. All keys in one direction compare as one row value, which an index
    /// answers; mixed directions are spelt out.
    static func keyset(_ sort: [SortKey], _ key: [JSON]) -> SQL {
        let columns = sort.map { "row.\(quoted($0.column))" }
        if sort.allSatisfy({ $0.isDescending == sort[0].isDescending }) {
            let values = key.map { "\(bind($0))" as SQL }.joined(separator: ", ")
            return """
                (\(unescaped: columns.joined(separator: ", "))) \(unescaped: sort[0].isDescending ? "<" : ">") \
                (\(fragment: values))
                """
        }
        let steps = sort.indices.map { index -> SQL in
            var terms = (0..<index).map { "\(unescaped: columns[$0]) = \(bind(key[$0]))" as SQL }
            terms.append(
                "\(unescaped: "\(columns[index]) \(sort[index].isDescending ? "<" : ">") ")\(bind(key[index]))"
            )
            return "(\(fragment: terms.joined(separator: " AND ")))"
        }
        return "(\(fragment: steps.joined(separator: " OR ")))"
    }

    // MARK: values

    /// Text takes the type of the column it is compared with.
    private static func bind(_ value: JSON) -> SQLValue {
        switch value {
        case .string(let text): .text(text)
        case .bool(let value): .bool(value)
        case .number(let number): number.integer(as: Int64.self).map(SQLValue.integer) ?? .text(number.text)
        case .null, .array, .object: .null
        }
    }

    private static func bind(_ value: JSON, _ schema: Schema) -> SQLValue {
        if case .text(let rule) = schema.kind, let text = value.stringValue {
            switch rule.format {
            case "uuid": return UUID(text).map(SQLValue.uuid) ?? .null
            case "date-time": return Timestamp(text).map(SQLValue.time) ?? .null
            case "date": return LocalDate(text).map(SQLValue.date) ?? .null
            default: return .text(text)
            }
        }
        if case .number = schema.kind, let number = value.doubleValue { return .double(number) }
        return bind(value)
    }

    private static func bind(_ items: [JSON], _ element: Schema) -> SQLValue {
        if case .text(let rule) = element.kind, rule.format == "uuid" {
            return .uuids(items.compactMap { $0.stringValue.flatMap { UUID($0) } })
        }
        if case .integer = element.kind { return .integers(items.compactMap { $0.intValue.map(Int64.init) }) }
        return .texts(items.compactMap(\.stringValue))
    }
}
