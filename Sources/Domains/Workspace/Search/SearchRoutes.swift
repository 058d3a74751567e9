import API
import Core
import Postgres
import Wire

/// One search over the things of every domain.
enum SearchRoutes {
    @RouteList static var routes: [Route] {
        GET("/v1/search", "Search everything", .member, search)
            .describe(
                "What one may see of every kind that can be found, the best first, up to \(WorkspaceNumbers.foundPerKind) of a "
                    + "kind. The lists of the kinds find more, with their own filters.")
    }

    struct Question: Codable, Sendable {
        let q: Text<200>
        let kinds: [Text<60>]?
    }

    /// Something that was found.
    struct Finding: Codable, Sendable, FieldNotes {
        let kind: String
        let id: UUID
        let title: String
        let detail: String?
        let link: String
        let updatedAt: Timestamp

        static let fieldNotes = ["link": "Where it is read in the product."]
    }

    static func search(_ call: Call, _ question: Query<Question>) async throws -> Page<Finding> {
        guard let member = call.principal else { throw Problem.unauthorized }
        let wanted = question.kinds?.map(\.text)
        let kinds = call.environment[WorkspaceParts.self].subjects.filter {
            call.can($0.permission) && wanted?.contains($0.kind) ?? true
        }
        let each = try kinds.compactMap { subject -> SQL? in
            guard let search = subject.search else { return nil }
            let rows = try search.rows(member, question.q.text, WorkspaceNumbers.foundPerKind)
            return """
                SELECT \(subject.kind)::text AS kind, f.id, f.title, f.detail, f.link, f.updated_at, f.rank
                  FROM (\(fragment: rows)) AS f
                """
        }
        let nothing: SQL = """
            SELECT ''::text AS kind, NULL::uuid AS id, ''::text AS title, NULL::text AS detail, ''::text AS link,
                   now() AS updated_at, 0::real AS rank WHERE false
            """
        let all = ([nothing] + each).joined(separator: " UNION ALL ")
        return Page(
            all: try await call.db.query(
                """
                SELECT found.kind, found.id, found.title, found.detail, found.link, found.updated_at
                  FROM (\(fragment: all)) AS found ORDER BY found.rank DESC, found.updated_at DESC, found.id
                """))
    }
}
