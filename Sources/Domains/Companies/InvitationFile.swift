import API
import Core
import Postgres
import Wire

/// A spreadsheet of people to invite: its columns found by the names in the first line, its roles and teams by theirs.
struct InvitationFile {
    let rows: [InvitationBatch.Row]

    private enum Column: String, CaseIterable { case email, name, roles, teams, message }

    /// A fault of the file as a whole is thrown; what is wrong with one row stays with that row.
    init(_ bytes: [UInt8], roles: Rows, teams: Rows) throws {
        let encoding = TextEncoding.guessed(from: bytes)
        let records = CSVReader.sample(
            bytes, delimiter: CSVReader.guessedDelimiter(bytes, encoding: encoding, isWhole: true),
            encoding: encoding,
            isWhole: true, cellBytesMax: InputLimits.textLengthMax, cellsMax: InputLimits.itemsMax)
        if let broken = records.firstIndex(where: \.isBroken) {
            throw Problem.unprocessable("", "malformed-csv", "row \(broken + 1) of the file cannot be read")
        }
        let table = records.map(\.cells)
        let columns = try Self.columns(table.first ?? [])
        guard table.count > 1 else { throw Problem.unprocessable("", "required", "the file has no rows") }
        guard table.count <= CompanyLimits.invitationFileRowsMax + 1 else {
            throw Problem.unprocessable(
                "", "too-many", "the file may have \(CompanyLimits.invitationFileRowsMax) rows")
        }
        let known = try Known(roles, teams)
        rows = table.dropFirst().map { cells in
            let value = { (column: Column) in
                columns[column].flatMap { $0 < cells.count ? cells[$0].trimmed() : nil }.flatMap {
                    $0.isEmpty ? nil : $0
                }
            }
            return Self.row(value, known)
        }
    }

    private static func columns(_ names: [String]) throws(Problem) -> [Column: Int] {
        var columns: [Column: Int] = [:]
        for (place, name) in names.enumerated() {
            guard let column = Column(rawValue: name.trimmed().lowercased()) else {
                let all = Column.allCases.map(\.rawValue).joined(separator: ", ")
                throw .unprocessable("", "unknown-column", "the column \(name) is none of \(all)")
            }
            columns[column] = place
        }
        guard columns[.email] != nil else {
            throw .unprocessable("", "required", "the first line must name the column email")
        }
        return columns
    }

    private static func row(_ value: (Column) -> String?, _ known: Known) -> InvitationBatch.Row {
        let address = value(.email) ?? ""
        let wanted = Result { () throws(Problem) -> NewInvitation in
            guard let email = Email(address) else {
                throw .unprocessable("/email", "invalid", "is no e-mail address")
            }
            return NewInvitation(
                email: email, name: try text(value(.name), "/name", Text<120>.init),
                roleIds: try list(value(.roles), "/roles", "role", known.roles),
                teamIds: try list(value(.teams), "/teams", "team", known.teams),
                message: try text(value(.message), "/message", Prose<500>.init), expiresInDays: nil)
        }
        return InvitationBatch.Row(email: address, wanted: wanted)
    }

    private static func text<Value>(_ text: String?, _ pointer: String, _ make: (String) -> Value?)
        throws(Problem)
        -> Value?
    {
        guard let text else { return nil }
        guard let value = make(text) else {
            throw .unprocessable(pointer, "invalid", "is too long, or has control characters")
        }
        return value
    }

    private static func list(_ cell: String?, _ pointer: String, _ noun: String, _ known: [String: UUID])
        throws(Problem)
        -> UpTo<20, UUID>?
    {
        guard let cell else { return nil }
        var ids: [UUID] = []
        for name in cell.split(separator: ";").map({ String($0).trimmed() }) where !name.isEmpty {
            guard let id = known[name.lowercased()] else {
                let near = NearMiss.hint(name, among: known.keys)
                throw .unprocessable(
                    pointer, "unknown-\(noun)", "\(name) is no \(noun) of this company\(near)")
            }
            if !ids.contains(id) { ids.append(id) }
        }
        guard let list = UpTo<20, UUID>(ids) else { throw .unprocessable(pointer, "too-many", "may name 20") }
        return list
    }

    /// The company's roles and teams by their names, and roles by their keys.
    private struct Known {
        var roles: [String: UUID] = [:]
        var teams: [String: UUID] = [:]

        init(_ roleRows: Rows, _ teamRows: Rows) throws {
            for row in roleRows {
                roles[try row.get("name", as: String.self).lowercased()] = try row.get("id")
            }
            for row in roleRows { roles[try row.get("key")] = try row.get("id") }
            for row in teamRows {
                teams[try row.get("name", as: String.self).lowercased()] = try row.get("id")
            }
        }
    }
}
