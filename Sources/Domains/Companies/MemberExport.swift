import API
import Core
import Postgres
import Wire

/// The list of members as a file for a spreadsheet.
enum MemberExport {
    @RouteList static var routes: [Route] {
        GET("/v1/members.csv", "Take the list of members away", .can(.membersExport), export).operation(
            "exportMembers"
        )
        .describe(
            "CSV by RFC 4180, UTF-8. A cell that a spreadsheet would take for a formula begins with an apostrophe."
        )
        .secret.media("text/csv")
    }

    static func export(_ call: Call) async throws -> Raw {
        let company = try call.company
        let attributes = try await call.db.query(AttributeRule.all(of: company))
        let names = try attributes.map { try $0.get("name", as: String.self) }
        let values = try attributes.map { row -> SQL in
            ", coalesce(m.attributes ->> \(try row.get("key", as: String.self))::text, '')"
        }
        let rows = try await call.db.report(
            """
            SELECT m.id::text, u.name, coalesce(u.email, '') AS email, coalesce(m.title, '') AS title, m.status,
                   coalesce((SELECT string_agg(r.name, '; ' ORDER BY r.name) FROM member_roles mr
                      JOIN roles r ON r.company_id = mr.company_id AND r.id = mr.role_id
                     WHERE mr.company_id = m.company_id AND mr.member_id = m.id), '') AS roles,
                   coalesce((SELECT string_agg(t.name, '; ' ORDER BY t.name) FROM team_members tm
                      JOIN teams t ON t.company_id = tm.company_id AND t.id = tm.team_id
                     WHERE tm.company_id = m.company_id AND tm.member_id = m.id), '') AS teams,
                   to_char(m.joined_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS joined_at
                   \(fragment: values.reduce("") { sql, value in "\(fragment: sql)\(fragment: value)" })
              FROM memberships m
              JOIN users u ON u.id = m.user_id AND u.kind = 'person'
             WHERE m.company_id = \(company) AND m.status <> 'removed'
             ORDER BY u.name, m.id
             LIMIT \(CompanyLimits.exportedMembersMax)
            """)
        try await call.db.transaction { tx in
            try await Audit.record(
                Audit.Entry("members.exported", on: "company", company, after: ["rows": JSON(rows.count)]),
                by: call.actor, company: company, in: tx)
        }
        return try CSVAnswer.of(
            rows, named: "members.csv", columns: rows.columns.dropLast(names.count) + names)
    }
}
