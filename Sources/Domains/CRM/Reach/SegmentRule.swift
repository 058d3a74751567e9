import API
import Core
import Postgres
import Wire

/// Who is in a segment: what its filter finds, within all of some segments, any of some and none of others; and those who
/// are named, but for those who are named out.
struct SegmentRule: Decodable, Sendable {
    let id: UUID
    let kind: String
    let filter: JSON?
    let allOf: [UUID]
    let anyOf: [UUID]
    let noneOf: [UUID]
    let includeIds: [UUID]
    let excludeIds: [UUID]
    let isFrozen: Bool

    static let columns: SQL = """
        s.id, s.kind, s.filter, s.all_of, s.any_of, s.none_of, s.include_ids, s.exclude_ids, s.frozen_at IS NOT NULL AS is_frozen
        """

    var record: CRMRecord { CRMRecord(rawValue: kind) ?? .contact }
    var references: [UUID] { allOf + anyOf + noneOf }
    /// It asks for nothing but what it names.
    private var isList: Bool { filter == nil && allOf.isEmpty && anyOf.isEmpty }

    /// A condition on the id in `column`, of a row that the member may see; it does not say by itself what he sees.
    @inline(never)
    func condition(
        _ column: String, _ others: [UUID: SegmentRule], _ member: Principal, _ environment: Environment
    ) async throws -> SQL {
        let company = member.companyId ?? .zero
        if isFrozen {
            return """
                \(unescaped: column) IN (SELECT f.record_id FROM crm_segment_members f
                                          WHERE f.company_id = \(company) AND f.segment_id = \(id))
                """
        }
        var all: [SQL] = []
        if let filter {
            let rows = try await record.list.rows(filter, nil, member, environment)
            all.append("\(unescaped: column) IN (SELECT asked.id FROM (\(fragment: rows)) AS asked)")
        }
        for id in allOf { all.append(try await part(id, column, others, member, environment)) }
        var any: [SQL] = []
        for id in anyOf { any.append(try await part(id, column, others, member, environment)) }
        if !any.isEmpty { all.append("(\(fragment: any.joined(separator: " OR ")))") }
        for id in noneOf {
            let part = try await part(id, column, others, member, environment)
            all.append("NOT \(fragment: part)")
        }
        if isList { all = ["FALSE"] }
        return """
            ((\(fragment: all.joined(separator: " AND ")) OR \(unescaped: column) = ANY(\(includeIds)::uuid[]))
             AND \(unescaped: column) <> ALL(\(excludeIds)::uuid[]))
            """
    }

    /// A segment that is gone since has nobody in it.
    @inline(never)
    private func part(
        _ id: UUID, _ column: String, _ others: [UUID: SegmentRule], _ member: Principal,
        _ environment: Environment
    ) async throws -> SQL {
        guard let other = others[id] else { return "FALSE" }
        let condition = try await other.condition(column, others, member, environment)
        return "(\(fragment: condition))"
    }

    /// Everything the rule refers to, over however many steps; 409 when that leads back to itself or goes too deep.
    @inline(never)
    func others(company: UUID, _ query: (SQL) async throws -> Rows) async throws -> [UUID: SegmentRule] {
        var found: [UUID: SegmentRule] = [:]
        var wanted = Set(references)
        var depth = 0
        while !wanted.isEmpty {
            depth += 1
            if wanted.contains(id) || depth > SegmentLimits.depthMax { throw Problem(.segmentCircle) }
            let rows = try await query(
                """
                SELECT \(fragment: Self.columns) FROM crm_segments s
                 WHERE s.company_id = \(company) AND s.id = ANY(\(Array(wanted))::uuid[]) AND s.kind = \(kind)
                """)
            let rules = try rows.decode(SegmentRule.self)
            for rule in rules { found[rule.id] = rule }
            wanted = Set(rules.filter { !$0.isFrozen }.flatMap(\.references))
        }
        return found
    }
}

/// Every number of segments, with its reason.
enum SegmentLimits {
    /// A company with more does not find its own any more.
    static let segmentsMax = 500
    /// Segments of segments of segments: deeper nobody sees what is asked.
    static let depthMax = 3
    static let namedMax = 1_000
    static let partsMax = 10
    /// Counted no further.
    static let countMax = 100_000
}

extension CRMRecord {
    /// The list of the kind, by whose names a filter asks.
    var list: ExportKind {
        switch self {
        case .client: CRMDomain.clientExport
        case .contact: CRMDomain.contactExport
        case .lead: CRMDomain.leadExport
        case .deal: CRMDomain.dealExport
        }
    }
}
