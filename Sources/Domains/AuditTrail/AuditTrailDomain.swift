import API
import Core
import Crypto

/// The record of every change: search, export, and the proof that nothing was altered; links for auditors, and streams to
/// collectors of logs.
///
/// Owns audit_log, which every domain writes by `Audit`, and the chain over it: audit_seals, audit_unsealed and
/// audit_cuts; audit_exports, audit_viewers, audit_streams and audit_stream_lanes. Reads users for the names of those who
/// acted.
public enum AuditTrailDomain: Domain {
    public static let name = "Audit"
    public static let summary =
        "The record of every change: search, export and proof that nothing was altered."

    public static var routes: [Route] {
        AuditEvents.routes + Verification.routes + AuditDownload.routes + AuditExports.routes
            + AuditVerifying.routes
            + AuditViewers.routes + AuditViews.routes + AuditStreams.routes + InstallationRecord.routes
    }

    public static let permissions: [Permission] = [.auditRead, .auditExport]
    public static let problems = ProblemCode.ofAudit
    public static let notifications = AuditNews.all

    public static let workers = [Sealing.worker, AuditStreamLanes.worker]
    public static let jobs = AuditExporting.handlers + [AuditVerifying.handler, AuditStreaming.handler]
    public static let queues = [
        JobQueue("audit", concurrency: 4), JobQueue("audit-streams", concurrency: 20),
    ]

    public static func start(_ environment: inout Environment) async throws {
        environment.set(AuditKeys(environment[KeyRing.self]))
        environment.set(AuditStreamParts(environment))
    }

    public static let sealed = [
        SealedColumn("audit_streams", "headers_sealed", key: "id", isTenants: true) {
            AuditStreamParts.context($0)
        }
    ]

    public static let personalData: [PersonalData] = [
        PersonalData(
            "audit_log", "What somebody did", of: .user("actor_id"), .user("behind_id"),
            erase: .keep(
                "The record of changes must stay whole to prove anything. It names people by their id, and by the "
                    + "address they were invited at, and ends with its retention.")),
        .none(
            "audit_seals", "the chain of hashes over the record of changes",
            hiding: ["prev_hash", "hash", "mac"]),
        .none("audit_unsealed", "which changes wait for their seal"),
        .none("company_upkeep", "when each company's data is next gone through"),
        .none("audit_cuts", "where retention has cut the chain off", hiding: ["hash"]),
        PersonalData(
            "audit_exports", "Files of the record that somebody asked for", of: .user("requested_by"),
            erase: .blank("requested_by = NULL")),
        PersonalData(
            "audit_viewers", "Links to the record that somebody made", of: .user("created_by"),
            erase: .blank("created_by = NULL")),
        PersonalData(
            "audit_streams", "Where somebody had the record sent", of: .user("created_by"),
            erase: .blank("created_by = NULL")),
        .none("audit_stream_lanes", "which streams have something to send"),
    ]

    public static let retention = [
        RetentionClass(
            "audit", "The record of changes", table: "audit_log", since: "at", days: 730, within: 30...3650,
            needsOwner: true
        ) { company, days, owner in try await AuditRetention.cut(company, days: days, owner) }
    ]
}
