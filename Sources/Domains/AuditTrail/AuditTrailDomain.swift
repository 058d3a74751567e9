import API
import Core

public enum AuditTrailDomain: Domain {
    public static let name = "Audit"
    public static let summary = "The record of every change: search, export and proof that nothing was altered."

    public static var routes: [Route] { [] }
}
