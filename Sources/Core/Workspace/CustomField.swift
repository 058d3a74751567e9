import API
import Postgres
import Wire

/// Where the values of a kind's custom fields live: a column `custom jsonb NOT NULL DEFAULT '{}'` of its table.
public struct CustomFieldHome: Sendable {
    public let table: String
    public let column: String
    /// Fields may belong to a part of the company alone, as to a project: the column of the table that names it.
    public let scopeColumn: String?
    /// Throws 404 unless the caller may see such a scope and, for a change, 403 unless he may say which fields it has.
    public let check: @Sendable (_ scope: UUID, _ isChange: Bool, _ call: Call) async throws -> Void

    public init(
        table: String, column: String = "custom", scopeColumn: String? = nil,
        check: @escaping @Sendable (_ scope: UUID, _ isChange: Bool, _ call: Call) async throws -> Void = {
            _, _, _ in
            throw Problem.notFound
        }
    ) {
        self.table = table
        self.column = column
        self.scopeColumn = scopeColumn
        self.check = check
    }
}

public enum CustomFieldType: String, Codable, CaseIterable, SQLBindable, Sendable {
    case text, number, money, date, boolean, select
    case multiSelect = "multi_select"
    case member, url

    public var hasOptions: Bool { self == .select || self == .multiSelect }
}

/// One field that a company has given to a kind of thing.
public struct CustomField: Sendable, Decodable {
    public struct Option: Codable, Sendable {
        public let key: String
        public let name: String
        public let color: String?
        /// Stays on what has it and is offered no more.
        public let isArchived: Bool

        public init(key: String, name: String, color: String?, isArchived: Bool) {
            self.key = key
            self.name = name
            self.color = color
            self.isArchived = isArchived
        }
    }

    public let id: UUID
    public let scope: UUID?
    public let key: String
    public let name: String
    public let type: CustomFieldType
    public let isRequired: Bool
    public let options: [Option]
    public let defaultValue: JSON
    public let isArchived: Bool

    public init(
        id: UUID, scope: UUID?, key: String, name: String, type: CustomFieldType, isRequired: Bool,
        options: [Option],
        defaultValue: JSON = .null, isArchived: Bool = false
    ) {
        self.id = id
        self.scope = scope
        self.key = key
        self.name = name
        self.type = type
        self.isRequired = isRequired
        self.options = options
        self.defaultValue = defaultValue
        self.isArchived = isArchived
    }
}

extension CustomField {
    /// The value as it is kept, or what is wrong with it. Whether a member is one, the caller asks the database.
    public func kept(_ value: JSON) -> Result<JSON, Wrong> {
        switch type {
        case .text:
            guard let text = value.stringValue else { return wrong("wrong-type", "must be a text") }
            let length = text.unicodeScalars.count
            guard length <= WorkspaceLimits.textValueMax, !text.utf8.contains(0) else {
                return wrong(
                    "too-long", "may have \(WorkspaceLimits.textValueMax) characters, none of them NUL")
            }
            return length == 0 ? .success(.null) : .success(value)
        case .number:
            guard let number = value.doubleValue else { return wrong("wrong-type", "must be a number") }
            // What jsonb holds exactly and every client can read.
            return abs(number) <= 1e15
                ? .success(value) : wrong("out-of-range", "must be between -1e15 and 1e15")
        case .money:
            guard let cents = value.intValue else {
                return wrong("wrong-type", "must be a whole number of the smallest unit")
            }
            return abs(cents) <= Cents.max
                ? .success(JSON(cents)) : wrong("out-of-range", "is more than \(Cents.max)")
        case .date:
            guard let day = value.stringValue.flatMap({ LocalDate($0) }) else {
                return wrong("invalid", "must be a day like 2026-11-24")
            }
            return .success(.string(day.description))
        case .boolean:
            return value.boolValue == nil ? wrong("wrong-type", "must be true or false") : .success(value)
        case .select: return option(value)
        case .multiSelect: return severalOptions(value)
        case .member:
            guard let id = value.stringValue.flatMap({ UUID($0) }) else {
                return wrong("invalid", "must be the id of a member")
            }
            return .success(.string(id.description))
        case .url:
            guard let url = value.stringValue.flatMap({ WebURL($0) }) else {
                return wrong("invalid", "must be an address like https://example.com")
            }
            return .success(.string(url.text))
        }
    }

    public struct Wrong: Error {
        public let code: String
        public let detail: String
    }

    private func wrong(_ code: String, _ detail: String) -> Result<JSON, Wrong> {
        .failure(Wrong(code: code, detail: detail))
    }

    private func option(_ value: JSON) -> Result<JSON, Wrong> {
        guard let key = value.stringValue, let option = options.first(where: { $0.key == key }) else {
            let names = options.filter { !$0.isArchived }.map(\.key).joined(separator: ", ")
            return wrong("not-one-of", "must be one of: \(names)")
        }
        return .success(.string(option.key))
    }

    private func severalOptions(_ value: JSON) -> Result<JSON, Wrong> {
        guard let items = value.arrayValue else { return wrong("wrong-type", "must be an array of options") }
        var chosen: Set<String> = []
        for item in items {
            switch option(item) {
            case .success: chosen.insert(item.stringValue ?? "")
            case .failure(let wrong): return .failure(wrong)
            }
        }
        let kept = options.map(\.key).filter(chosen.contains)
        return .success(kept.isEmpty ? .null : .array(kept.map(JSON.string)))
    }
}
