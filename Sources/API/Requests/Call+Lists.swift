import Crypto
import HTTP
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
        let frame = try ListFrame.of(Item.self, list, for: self)
        let seal = CursorSeal(key: application.cursorKey, scope: cursorScope(list))
        let after = try list.cursor.map { (cursor) throws(Problem) in
            try seal.open(cursor, keys: list.sort.count)
        }
        var statements = [ListSQL(list, after: after).page(of: base, frame)]
        if list.wantsCount { statements.append(ListSQL(list, after: nil).count(of: base)) }
        let answers = try await db.batch(statements, as: other)
        let rows = answers[0]
        let hasMore = rows.count > list.limit
        return Page(
            rows: rows, limit: min(rows.count, list.limit), hiddenColumns: frame.hiddenColumns,
            nextCursor: hasMore ? seal.seal(rows, row: list.limit - 1, columns: frame.sortPlaces) : nil,
            total: list.wantsCount
                ? min(try answers[1][0].get("total", as: Int.self), InputLimits.countMax) : nil)
    }

    /// A cursor is good for the list it came from alone: route, company, filter, search and order.
    private func cursorScope<Filter>(_ list: List<Filter>) -> [UInt8] {
        let out = ByteWriter(capacity: 256)
        out.write(route.route.path)
        for value in pathValues {
            out.write("\n")
            out.write(value)
        }
        out.write("\n")
        if let company = principal?.companyId { out.write(company) } else { out.write("-") }
        for key in list.sort {
            out.write(key.isDescending ? "\n-" : "\n")
            out.write(key.column)
        }
        out.write("\n\n")
        out.write(list.q ?? "")
        out.write("\n")
        out.write(list.filterJSON)
        return out.array
    }

    /// The address of the next page: this one with another cursor.
    func nextLink(_ cursor: String) -> String {
        let out = ByteWriter(capacity: 256)
        out.write("<")
        request.withPath { out.write($0) }
        out.write("?")
        request.withQuery { query in
            guard let query else { return }
            for pair in query.split(separator: UInt8(ascii: "&")) where !pair.starts(with: "cursor=".utf8) {
                out.write(UnsafeRawBufferPointer(rebasing: pair))
                out.write("&")
            }
        }
        out.write("cursor=")
        out.write(cursor)
        out.write(">; rel=\"next\"")
        return out.string
    }
}

/// Signs the key of a page's last row, so that nobody can make one up or use it elsewhere.
struct CursorSeal {
    let key: HMACKey
    let scope: [UInt8]

    private static let codeLength = 16

    func seal(_ rows: Rows, row: Int, columns: [Int]) -> String {
        let out = ByteWriter(capacity: 192)
        out.write("[")
        for (index, column) in columns.enumerated() {
            if index > 0 { out.write(",") }
            rows.writeJSON(row: row, column: column, into: out)
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
        guard constantTimeEquals(Array(code(payload)), Array(bytes[..<Self.codeLength])),
            case .array(let items)? = try? JSON.parse(payload), items.count == keys
        else { throw Problem(.invalidCursor) }
        return items
    }

    private func code(_ payload: [UInt8]) -> ArraySlice<UInt8> {
        key.authenticate(scope + [0] + payload).prefix(Self.codeLength)
    }
}
