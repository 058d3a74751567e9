import API
import Core

/// The record of every change: search, export, and the proof that nothing was altered.
///
/// Owns audit_log, which every domain writes by `Audit`.
public enum AuditTrailDomain: Domain {
    public static let name = "Audit"
    public static let summary = "The record of every change: search, export and proof that nothing was altered."

    public static var routes: [Route] { [] }

    public static let personalData = [
        PersonalData(
            "audit_log", "What somebody did", of: .user("actor_id"), .user("behind_id"),
            erase: .keep(
                "The record of changes must stay whole to prove anything. It names people by their id and ends with "
                    + "its retention."))
    ]
}
