import API
import Postgres
import Wire

/// The fields that companies have given to things, and the check of their values. Definitions are read once and kept in
/// memory until they change, so checking a row asks the database for nothing but the members it names.
public final class CustomFields: Sendable {
    /// What `CacheNews` calls a change of definitions.
    public static let topic = "custom_fields"

    private let db: Database
    private let cache: Cache<String, [CustomField]>

    public init(_ db: Database, _ news: CacheNews) {
        self.db = db
        cache = Cache(Self.topic, sizeMax: 10_000, life: .seconds(600), news: news)
    }

    /// The fields of things in this scope: those of the whole company and those of the scope, in their order.
    @inline(never)
    public func fields(of kind: String, scope: UUID?, company: UUID) async throws -> [CustomField] {
        let inScope: SQL = "(f.scope_id IS NULL OR f.scope_id = \(scope)::uuid)"
        return try await load("\(kind)|\(scope?.description ?? "")", kind, inScope, company)
    }

    /// The fields of all scopes, for lists that go over several.
    @inline(never)
    public func everyField(of kind: String, company: UUID) async throws -> [CustomField] {
        try await load("\(kind)|*", kind, "TRUE", company)
    }

    private func load(_ key: String, _ kind: String, _ condition: SQL, _ company: UUID) async throws
        -> [CustomField]
    {
        let db = db
        return try await cache.value(key, company: company) {
            let rows = try await db.query(
                """
                SELECT f.id, f.scope_id AS scope, f.key, f.name, f.type, f.is_required, f.options,
                       coalesce(f.default_value, 'null') AS default_value, f.archived_at IS NOT NULL AS is_archived
                  FROM custom_fields f
                 WHERE f.company_id = \(company) AND f.kind = \(kind) AND \(fragment: condition)
                   AND f.deleted_at IS NULL
                 ORDER BY f.scope_id NULLS FIRST, f.position, f.id
                """, as: Tenant(company: company, user: nil))
            return try rows.decode(CustomField.self)
        }
    }

    /// Values checked against the definitions, and merged over those there were.
    public struct Checked: Sendable {
        /// To be kept in the column.
        public var values: JSON
        public var faults: [Fault] = []
    }

    /// The values as they are to be kept; throws 422 with every fault at its pointer.
    ///
    /// - Parameters:
    ///   - values: as the caller sent them, an object by keys; null empties, what is absent stays.
    ///   - stored: what the thing has; nil for a new one, which then gets the defaults and must have what is required.
    @inline(never)
    public func checked(
        _ values: JSON?, over stored: JSON?, of kind: String, scope: UUID?, company: UUID,
        at pointer: String = "/custom"
    ) async throws -> JSON {
        let checked = try await check(
            values, over: stored, of: kind, scope: scope, company: company, at: pointer)
        let problem: Problem? = checked.faults.isEmpty ? nil : .unprocessable(checked.faults)
        if let problem { throw problem }
        return checked.values
    }

    /// The values of a request, as they are to be kept; of a change only what is sent is checked, and null still says that a
    /// value goes. More than `bytesMax` of them are too long.
    @inline(never)
    public func sent(
        _ values: [String: JSON], isNew: Bool, upTo bytesMax: Int, of kind: String, scope: UUID? = nil,
        company: UUID
    ) async throws -> JSON {
        var object = JSON.Object()
        for (key, value) in values.sorted(by: { $0.key < $1.key }) where !(isNew && value.isNull) {
            object[key] = value
        }
        if JSON.object(object).description.utf8.count > bytesMax {
            throw Problem.unprocessable("/custom", "too-long", "may take \(bytesMax) bytes")
        }
        let checked = try await checked(
            .object(object), over: isNew ? JSON?.none : .some([:]), of: kind, scope: scope, company: company)
        guard !isNew, case .object(var kept) = checked else { return checked }
        for (key, _) in object.members where kept[key] == nil { kept[key] = .null }
        return .object(kept)
    }

    /// The same, with the faults to be told beside others.
    @inline(never)
    public func check(
        _ values: JSON?, over stored: JSON?, of kind: String, scope: UUID?, company: UUID,
        at pointer: String = "/custom"
    ) async throws -> Checked {
        let fields = try await fields(of: kind, scope: scope, company: company)
        var (checked, members) = Self.check(values, over: stored, fields, at: pointer)
        let strangers = try await strangers(among: Set(members.map(\.member)), company)
        for (place, member) in members where strangers.contains(member) {
            checked.faults.append(.at(place, "unknown-member", "is no member of this company"))
        }
        return checked
    }

    /// The check of many things at once: one question for all members they name.
    @inline(never)
    public func check(
        all things: [JSON?], of kind: String, scope: UUID?, company: UUID
    ) async throws -> [Checked] {
        let fields = try await fields(of: kind, scope: scope, company: company)
        let parts = things.map { Self.check($0, over: nil, fields, at: "/custom") }
        let strangers = try await strangers(among: Set(parts.flatMap { $0.members.map(\.member) }), company)
        return parts.map { part in
            var checked = part.checked
            for (place, member) in part.members where strangers.contains(member) {
                checked.faults.append(.at(place, "unknown-member", "is no member of this company"))
            }
            return checked
        }
    }

    private func strangers(among members: Set<UUID>, _ company: UUID) async throws -> Set<UUID> {
        guard !members.isEmpty else { return [] }
        let rows = try await db.query(
            """
            SELECT id FROM memberships
             WHERE company_id = \(company) AND id = ANY(\(Array(members))::uuid[]) AND status = 'active'
            """, as: Tenant(company: company, user: nil))
        return members.subtracting(try rows.map { try $0.get("id", as: UUID.self) })
    }

    private static func check(
        _ values: JSON?, over stored: JSON?, _ fields: [CustomField], at pointer: String
    ) -> (checked: Checked, members: [(place: String, member: UUID)]) {
        var kept = stored?.objectValue ?? JSON.Object()
        var faults: [Fault] = []
        var members: [(String, UUID)] = []
        let sent = values?.objectValue ?? JSON.Object()
        if let values, values != .null, values.objectValue == nil {
            faults.append(.at(pointer, "wrong-type", "must be an object of custom fields"))
        }
        let active = Dictionary(fields.filter { !$0.isArchived }.map { ($0.key, $0) }) { _, inner in inner }
        for (key, value) in sent.members {
            let place = "\(pointer)/\(JSON.escapePointer(key))"
            guard let field = active[key] else {
                let near = NearMiss.hint(key, among: Array(active.keys))
                faults.append(.at(place, "unknown-field", "is no custom field here\(near)"))
                continue
            }
            if value == .null {
                kept[key] = nil
                continue
            }
            switch field.kept(value) {
            case .success(.null): kept[key] = nil
            case .success(let value):
                kept[key] = value
                if field.type == .member, let id = value.stringValue.flatMap({ UUID($0) }) {
                    members.append((place, id))
                }
            case .failure(let wrong): faults.append(.at(place, wrong.code, wrong.detail))
            }
        }
        for field in active.values.sorted(by: { $0.key < $1.key }) where kept[field.key] == nil {
            let place = "\(pointer)/\(JSON.escapePointer(field.key))"
            if faults.contains(where: { $0.place == .body(place) }) { continue }
            if stored == nil, sent[field.key] == nil, field.defaultValue != .null {
                kept[field.key] = field.defaultValue
            } else if field.isRequired, stored == nil || sent[field.key] != nil {
                faults.append(.at(place, "required", "is required"))
            }
        }
        return (Checked(values: .object(kept), faults: faults), members)
    }
}
