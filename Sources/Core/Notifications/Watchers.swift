import Postgres
import Wire

/// Who hears of a thing by his own wish, or because he takes part in it.
public enum Watchers {
    /// Makes these users watch the thing; who does so already goes on.
    public static func add(_ users: [UUID], to subject: Notify.Subject, company: UUID) -> SQL {
        """
        INSERT INTO notification_watchers (company_id, object_type, object_id, user_id)
        SELECT \(company)::uuid, \(subject.type), \(subject.id)::uuid, fresh.id FROM unnest(\(users)::uuid[]) AS fresh (id)
        ON CONFLICT DO NOTHING
        """
    }

    /// A condition: this user watches the thing.
    public static func includes(_ user: SQL, of subject: Notify.Subject, company: UUID) -> SQL {
        """
        EXISTS (SELECT 1 FROM notification_watchers watching
                 WHERE watching.company_id = \(company) AND watching.object_type = \(subject.type)
                   AND watching.object_id = \(subject.id) AND watching.user_id = \(fragment: user))
        """
    }

    /// For what is deleted.
    public static func forget(_ subject: Notify.Subject, company: UUID) -> SQL {
        """
        DELETE FROM notification_watchers
         WHERE company_id = \(company) AND object_type = \(subject.type) AND object_id = \(subject.id)
        """
    }
}
