import Postgres
import Wire

/// What hangs on things that are deleted for good and stands in tables that cannot point at them: their domain sends these
/// statements along.
public enum SubjectLeftovers {
    /// Comments and watchers of things.
    public static func sql(_ kind: String, _ things: [UUID], company: UUID) -> [SQL] {
        [
            """
            DELETE FROM comments
             WHERE company_id = \(company) AND subject_kind = \(kind) AND subject_id = ANY(\(things)::uuid[])
            """,
            """
            DELETE FROM notification_watchers
             WHERE company_id = \(company) AND object_type = \(kind) AND object_id = ANY(\(things)::uuid[])
            """,
        ]
    }

    /// Fields and views of a part of the company, as of a project. The values go with the things.
    public static func sql(ofScope scope: UUID, company: UUID) -> [SQL] {
        [
            "DELETE FROM custom_fields WHERE company_id = \(company) AND scope_id = \(scope)",
            "DELETE FROM saved_views WHERE company_id = \(company) AND scope_id = \(scope)",
        ]
    }
}
