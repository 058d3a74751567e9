import API

/// A part of the product that owns its tables and its routes; the app lists them and wires them alike.
public protocol Domain {
    /// One word, as the folder is called; it heads the domain's section in the documentation.
    static var name: String { get }
    static var summary: String { get }
    static var routes: [Route] { get }
    /// Every permission its routes ask for; roles are made of them.
    static var permissions: [Permission] { get }
    /// Every refusal of its own, for docs/errors.md.
    static var problems: [ProblemCode] { get }
    /// What the refusal of a constraint means to the caller.
    static var constraints: [ConstraintProblem] { get }
    static var workers: [Worker] { get }
    /// What each of its tables holds about people; a table that stands in no declaration fails a test.
    static var personalData: [PersonalData] { get }
    /// Its columns of sealed secrets, so that exchanging the keys forgets none.
    static var sealed: [SealedColumn] { get }
    /// What of its data is not kept for ever.
    static var retention: [RetentionClass] { get }
    /// Every kind of news that it tells people.
    static var notifications: [NotificationType] { get }
    /// What of its own people may watch.
    static var watchables: [Watchable] { get }
    /// What it counts of each company's use.
    static var quotas: [Quota] { get }
    /// What can be set while the program runs.
    static var settings: [AnyLiveSetting] { get }
    /// What it does about the jobs of its kinds.
    static var jobs: [JobHandler] { get }
    /// The queues of its own, where the usual limit does not fit.
    static var queues: [JobQueue] { get }
    /// Jobs that are enqueued by the clock.
    static var crons: [Cron] { get }
    /// The kinds of events it records.
    static var events: [AnyEventType] { get }
    /// What hangs on a member, for when he goes.
    static var handovers: [HandoverPart] { get }
    /// Kinds of things on which roles may be given.
    static var grantableObjects: [GrantableObject] { get }
    /// Kinds of things that may have comments, tags, custom fields and saved views.
    static var subjects: [Subject] { get }
    /// What of its own can be brought in as a table.
    static var imports: [ImportKind] { get }
    /// What of its own can be taken out as a table.
    static var exports: [ExportKind] { get }
    /// What of its own has a place in a calendar.
    static var calendarSources: [CalendarSource] { get }
    /// What it does about events, its own and others'.
    static var reactions: [Reaction] { get }
    /// Called once before the first request: the place to put ports and settings into the environment.
    static func start(_ environment: inout Environment) async throws
}

extension Domain {
    public static var permissions: [Permission] { [] }
    public static var problems: [ProblemCode] { [] }
    public static var constraints: [ConstraintProblem] { [] }
    public static var workers: [Worker] { [] }
    public static var personalData: [PersonalData] { [] }
    public static var sealed: [SealedColumn] { [] }
    public static var retention: [RetentionClass] { [] }
    public static var notifications: [NotificationType] { [] }
    public static var watchables: [Watchable] { [] }
    public static var quotas: [Quota] { [] }
    public static var settings: [AnyLiveSetting] { [] }
    public static var jobs: [JobHandler] { [] }
    public static var queues: [JobQueue] { [] }
    public static var crons: [Cron] { [] }
    public static var events: [AnyEventType] { [] }
    public static var handovers: [HandoverPart] { [] }
    public static var grantableObjects: [GrantableObject] { [] }
    public static var subjects: [Subject] { [] }
    public static var imports: [ImportKind] { [] }
    public static var exports: [ExportKind] { [] }
    public static var calendarSources: [CalendarSource] { [] }
    public static var reactions: [Reaction] { [] }
    public static func start(_ environment: inout Environment) async throws {}

    /// What the API takes of a domain.
    public static var declaration: DomainRoutes {
        DomainRoutes(
            name: name, summary: summary, routes: routes, permissions: permissions, problems: problems,
            constraints: constraints, webhooks: events.map(\.webhook))
    }
}
