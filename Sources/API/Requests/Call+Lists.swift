import Crypto
import Postgres
import Wire

extension Call {
    /// One page of `base`, a SELECT whose columns are those of `Item` and of the filter: filtered, searched, sorted and
    /// cut to the page asked for. The statement must name the company itself, as every statement does.
    ///
    ///     try await call.page(list, "SELECT id, name, created_at FROM teams WHERE company_id = \(call.company)")
    ///
    /// - Parameter other: whose rows are read when they are not the caller's.
    public func page<Item, Filter>(
        _ list: List<Filter>, _ base: SQL, as other: Tenant? = nil
    ) async throws -> Page<Item> {
        let shown = try columns(of: Item.self, wanted: list.fields)
        let hidden = list.sort.map(\.column).filter { !shown.contains($0) }
        let seal = CursorSeal(key: application.cursorKey, scope: try cursorScope(list))
        let after = try list.cursor.map { (cursor) throws(Problem) in try seal.open(cursor, keys: list.sort.count) }
        var statements = [ListSQL(list, after: after).page(of: base, columns: shown + hidden)]
        if list.wantsCount { statements.append(ListSQL(list, after: nil).count(of: base)) }
        let answers = try await db.batch(statements, as: other)
        let rows = answers[0]
        let hasMore = rows.count > list.limit
        return Page(
            rows: rows, limit: min(rows.count, list.limit), hiddenColumns: hidden.count,
            nextCursor: hasMore ? seal.seal(rows, row: list.limit - 1, columns: list.sort.map(\.column)) : nil,
            total: list.wantsCount ? min(try answers[1][0].get("total", as: Int.self), InputLimits.countMax) : nil)
    }

    /// The columns to print, in the order of the type's properties.
    private func columns<Item: Decodable>(of type: Item.Type, wanted: [String]?) throws -> [String] {
        guard case .object(let shape) = try Schema.of(type, as: .output).kind else {
            throw WiringFault("\(type) is listed, so it must be a struct")
        }
        let all = shape.properties.map(\.name)
        guard let wanted else { return all }
        for name in wanted where !all.contains(name) {
            let near = NearMiss.of(name, among: all).map { "; perhaps \($0) was meant" } ?? ""
            throw Problem.faulty([.parameter("fields", "not-one-of", "\"\(name.prefix(60))\" is no field of this list\(near)")])
        }
        if wanted.isEmpty { throw Problem.faulty([.parameter("fields", "invalid", "must name at least one field")]) }
        return all.filter(wanted.contains)
    }

    /// A cursor is good for the list it came from alone: route, company, filter, search and order.
    private func cursorScope<Filter>(_ list: List<Filter>) throws -> String {
        let order = list.sort.map(\.text).joined(separator: ",")
        let company = principal?.companyId?.description ?? "-"
        return "\(route.route.path)\n\(pathValues.joined(separator: "\n"))\n\(company)\n\(order)\n\(list.q ?? "")\n\(list.filterJSON)"
    }

    /// The address of the next page: this one with another cursor.
    func nextLink(_ cursor: String) -> String {
        let rest = (request.query ?? "").split(separator: "&").filter { !$0.hasPrefix("cursor=") }
        return "<\(request.path)?\((rest + ["cursor=\(cursor)"]).joined(separator: "&"))>; rel=\"next\""
    }
}

/// Signs the key of a page's last row, so that nobody can make one up or use it elsewhere.
struct CursorSeal {
    let key: HMACKey
    let scope: String

    private static let codeLength = 16

    func seal(_ rows: Rows, row: Int, columns: [String]) -> String {
        let out = ByteWriter(capacity: 128)
        out.write("[")
        for (index, column) in columns.enumerated() {
            if index > 0 { out.write(",") }
            rows.writeJSON(row: row, column: rows.columns.lastIndex(of: column)!, into: out)
        }
        out.write("]")
        let payload = out.array
        return Base64.encode(code(payload) + payload, .url)
    }

    func open(_ cursor: String, keys: Int) throws(Problem) -> [JSON] {
        guard cursor.utf8.count <= InputLimits.cursorLengthMax, let bytes = Base64.decode(cursor, .url),
            bytes.count > Self.codeLength
        else { throw Problem(.invalidCursor) }
        let payload = Array(bytes[Self.codeLength...])
        guard constantTimeEquals(code(payload), Array(bytes[..<Self.codeLength])),
            case .array(let items)? = try? JSON.parse(payload), items.count == keys
        else { throw Problem(.invalidCursor) }
        return items
    }

    private func code(_ payload: [UInt8]) -> [UInt8] {
        Array(key.authenticate(Array(scope.utf8) + [0] + payload).prefix(Self.codeLength))
    }
}
