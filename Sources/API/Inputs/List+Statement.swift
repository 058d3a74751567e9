import Postgres
import Wire

/// A list that is asked for by its values and not by a request: what a saved view holds, what an export takes.
extension List {
    /// What is wrong with a filter (an object of the list's own parameters, `q` among them) and an order, at `/filter/…`
    /// and `/sort`.
    public static func faults(filter: JSON, sort: String?) -> [Fault] {
        do { _ = try Self(filter: filter, sort: sort) } catch { return error.faults }
        return []
    }

    public init(filter json: JSON, sort: String? = nil) throws(Problem) {
        guard let part = try? Self.part(), case .list(let shape) = part else {
            preconditionFailure("a list of \(Filter.self) is no list")
        }
        var own = json.objectValue ?? JSON.Object()
        let q = shape.search.isEmpty ? nil : own["q"]?.stringValue
        if q != nil { own["q"] = nil }
        var schema = shape.filter
        for index in schema.properties.indices { schema.properties[index].isRequired = false }
        var faults = Schema(.object(schema)).faults(in: .object(own)).map { Self.moved($0) }
        if json.objectValue == nil { faults.append(.at("/filter", "wrong-type", "must be an object")) }
        if let q, q.utf8.contains(0) || q.unicodeScalars.count > InputLimits.searchLengthMax {
            faults.append(
                .at(
                    "/filter/q", "too-long",
                    "may have \(InputLimits.searchLengthMax) characters, none of them NUL"))
        }
        let keys = sort.map { $0.split(separator: ",").map(SortKey.init) } ?? [shape.sorts[0]]
        let allowed = shape.sorts.map(\.column) + ["id"]
        if !(1...3).contains(keys.count) || Set(keys.map(\.column)).count != keys.count
            || keys.contains(where: { !allowed.contains($0.column) })
        {
            faults.append(
                .at("/sort", "not-one-of", "must name one to three of \(allowed.joined(separator: ", "))"))
        }
        let made = try? JSON.object(own).decode(Filter.self)
        guard faults.isEmpty, let made else {
            if faults.isEmpty { faults = [.at("/filter", "invalid", "is not acceptable")] }
            throw .unprocessable(faults)
        }
        self.init(
            filter: made, limit: InputLimits.pageDefault, sort: ListParameters.withTieBreaker(keys), q: q,
            fields: nil, expand: nil,
            wantsCount: false, hasOwnOrder: sort == nil, cursor: nil, filterJSON: .object(own), shape: shape)
    }

    /// Everything that `base` gives of what the list asks for, in its order, without pages.
    public func statement(over base: SQL) -> SQL { ListSQL(self, after: nil).whole(of: base) }

    private static func moved(_ fault: Fault) -> Fault {
        guard case .body(let pointer) = fault.place else { return fault }
        return .at("/filter\(pointer)", fault.code, fault.detail)
    }
}
