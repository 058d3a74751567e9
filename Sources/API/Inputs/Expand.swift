import Postgres
import Wire

/// A property of an answer that is printed when `expand` asks for it, whole beside the id that names it:
///
///     struct Team { let id: UUID; let leadId: UUID?; let lead: Expanded<MemberBrief>? }
///
/// It is found in the statement that reads the rows, so a page of a hundred costs no further question.
public struct Expanded<Value: Codable & Sendable>: Codable, Sendable, AnyExpanded {
    public let value: Value
    public init(_ value: Value) { self.value = value }
    public init(from decoder: any Decoder) throws {
        value = try decoder.singleValueContainer().decode(Value.self)
    }
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }
}

protocol AnyExpanded {}

/// An item with `Expanded` properties.
public protocol Expandable {
    /// The SELECT of one JSON object that stands for the property of that name, for the row under the alias `row`.
    static func expansion(_ name: String, company: UUID) -> SQL
}

/// `expand=` of a route that reads one thing; `call.one` reads it.
public struct Expand<Item: Decodable & Expandable & Sendable>: RouteInput {
    let names: [String]

    public static func part() throws(Schema.ProbeError) -> InputPart {
        guard case .object(let shape) = try Schema.of(Item.self, as: .output).kind else {
            throw Schema.ProbeError(description: "\(Item.self) is expanded, so it must be a struct")
        }
        let names = shape.properties.filter(\.isExpansion).map(\.name)
        let schema = Schema(
            .array(Schema(.text(TextRule(values: names))), countMax: names.count),
            note: "Print these whole beside their ids.")
        return .query(ObjectSchema(properties: [.init(name: "expand", schema: schema, isRequired: false)]))
    }

    public static func read(_ reader: InputReader) -> Expand? {
        guard case .query(let shape) = reader.part() else { return nil }
        var pairs = QueryPairs(reader.call.request.query, reader)
        let json = pairs.json(for: shape, reader)
        pairs.refuseTheRest(known: shape.properties, reader)
        guard reader.faults.isEmpty else { return nil }
        return Expand(names: json["expand"]?.arrayValue?.compactMap(\.stringValue) ?? [])
    }
}

extension Call {
    /// The row of `base`, whose columns are those of `Item`, with what `expand` asks for; no row is 404.
    public func one<Item>(_ expand: Expand<Item>, _ base: SQL) async throws -> Single<Item> {
        let sql =
            expand.names.isEmpty ? base : try ListFrame.single(Item.self, expand.names, of: base, for: self)
        let rows = try await db.query(sql)
        return try Single(rows)
    }

    /// The statements of what `expand` names, each once; a name the item does not have is the caller's fault.
    func expansions<Item: Decodable>(_ names: [String], of item: Item.Type) throws -> [(
        name: String, sql: SQL
    )] {
        guard case .object(let shape) = try Schema.of(item, as: .output).kind,
            let type = item as? any Expandable.Type
        else {
            throw Problem.faulty([.parameter("expand", "not-one-of", "nothing can be expanded here")])
        }
        let known = shape.properties.filter(\.isExpansion).map(\.name)
        for name in names where !known.contains(name) {
            let near = NearMiss.hint(name, among: known)
            throw Problem.faulty([
                .parameter(
                    "expand", "not-one-of",
                    "\"\(name.prefix(60))\" cannot be expanded; \(known.joined(separator: ", ")) can\(near)")
            ])
        }
        let company = try company
        return known.filter(names.contains).map { ($0, type.expansion($0, company: company)) }
    }
}
