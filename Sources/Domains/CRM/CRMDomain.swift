import API
import Core

/// Clients and the people at them, leads and what they become, deals on their way through pipelines.
///
/// Owns clients, contacts, leads, pipelines, deals and what hangs on them. Reads memberships, users, teams and tasks.
public enum CRMDomain: Domain {
    public static let name = "CRM"
    public static let summary = "Clients, contacts, leads, pipelines and deals."

    private static let parts: [CRMPart] = [clientsPart, leadsPart, dealsPart, activitiesPart, reachPart]

    public static let permissions: [Permission] = [
        .crmRead, .crmReadTeam, .crmReadAll, .crmWrite, .crmManage, .crmAmounts, .crmContactData,
    ]

    public static let routes: [Route] = parts.flatMap(\.routes)
    public static let problems: [ProblemCode] = parts.flatMap(\.problems)
    public static let constraints: [ConstraintProblem] = parts.flatMap(\.constraints)
    public static let workers: [Worker] = parts.flatMap(\.workers)
    // What hangs on contacts is found by what they are known by, which therefore goes last.
    public static let personalData: [PersonalData] = parts.reversed().flatMap(\.personalData)
    public static let sealed: [SealedColumn] = parts.flatMap(\.sealed)
    public static let retention: [RetentionClass] = parts.flatMap(\.retention)
    public static let notifications: [NotificationType] = parts.flatMap(\.notifications)
    public static let watchables: [Watchable] = parts.flatMap(\.watchables)
    public static let quotas: [Quota] = parts.flatMap(\.quotas)
    public static let settings: [AnyLiveSetting] = parts.flatMap(\.settings)
    public static let jobs: [JobHandler] = parts.flatMap(\.jobs)
    public static let queues: [JobQueue] = parts.flatMap(\.queues)
    public static let crons: [Cron] = parts.flatMap(\.crons)
    public static let events: [AnyEventType] = parts.flatMap(\.events)
    public static let handovers: [HandoverPart] = parts.flatMap(\.handovers)
    public static let subjects: [Subject] = parts.flatMap(\.subjects)
    public static let imports: [ImportKind] = parts.flatMap(\.imports)
    public static let exports: [ExportKind] = parts.flatMap(\.exports)
    public static let calendarSources: [CalendarSource] = parts.flatMap(\.calendarSources)
    public static let reactions: [Reaction] = parts.flatMap(\.reactions)
    static let erasures = parts.flatMap(\.erasures)
}
