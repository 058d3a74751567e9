import API
import Core
import Postgres
import Wire

/// What a segment's filter asks of: the list of its kind, by the same names; where a kind gives no list of its own, what
/// stands in its row.
enum SegmentSource {
    static func of(_ kind: CRMRecord) -> ExportKind {
        CRMDomain.exports.first { $0.kind == kind.rawValue } ?? plain(kind)
    }

    private static func plain(_ kind: CRMRecord) -> ExportKind {
        switch kind {
        case .client: rows(kind, Clients.self)
        case .contact: rows(kind, Contacts.self)
        case .lead: rows(kind, Leads.self)
        case .deal: rows(kind, Deals.self)
        }
    }

    private static func rows<Filter: ListFilter>(_ kind: CRMRecord, _ filter: Filter.Type) -> ExportKind {
        ExportKind(
            kind.rawValue, kind.rawValue, .crmRead, filter: filter, columns: { _, _ in [] },
            base: { _, member, _ in
                """
                SELECT r.* FROM \(unescaped: kind.table) r
                 WHERE r.company_id = \(member.companyId) AND \(fragment: CRMAccess.visible(member, "r"))
                """
            })
    }

    private struct Clients: ListFilter {
        let lifecycle: [Text<40>]?
        let ownerId: [UUID]?
        let industry: [Text<120>]?
        let createdAt: Bounds<Timestamp>?
    }

    private struct Contacts: ListFilter {
        let lifecycle: [Text<40>]?
        let ownerId: [UUID]?
        let clientId: [UUID]?
        let locale: [Text<40>]?
        let jobTitle: [Text<120>]?
        let createdAt: Bounds<Timestamp>?
    }

    private struct Leads: ListFilter {
        let status: [Text<40>]?
        let ownerId: [UUID]?
        let sourceId: [UUID]?
        let score: Bounds<Int>?
        let createdAt: Bounds<Timestamp>?
    }

    private struct Deals: ListFilter {
        let stageKind: [Text<40>]?
        let stageId: [UUID]?
        let pipelineId: [UUID]?
        let ownerId: [UUID]?
        let createdAt: Bounds<Timestamp>?
    }
}
