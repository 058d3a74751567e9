import API
import Core
import Postgres
import Wire

/// What one folder of the domain brings into it; the domain is the sum of its parts.
struct CRMPart: Sendable {
    var routes: [Route] = []
    var problems: [ProblemCode] = []
    var constraints: [ConstraintProblem] = []
    var workers: [Worker] = []
    var personalData: [PersonalData] = []
    var sealed: [SealedColumn] = []
    var retention: [RetentionClass] = []
    var notifications: [NotificationType] = []
    var watchables: [Watchable] = []
    var quotas: [Quota] = []
    var settings: [AnyLiveSetting] = []
    var jobs: [JobHandler] = []
    var queues: [JobQueue] = []
    var crons: [Cron] = []
    var events: [AnyEventType] = []
    var handovers: [HandoverPart] = []
    var subjects: [Subject] = []
    var imports: [ImportKind] = []
    var exports: [ExportKind] = []
    var calendarSources: [CalendarSource] = []
    var reactions: [Reaction] = []
    /// What of these contacts the folder takes away when they are erased.
    var erasures: [@Sendable (_ contacts: [UUID], _ company: UUID) -> [SQL]] = []
}
