import API
import AuditTrail
import Auth
import BackgroundWork
import CRM
import Companies
import Config
import Core
import Crypto
import Files
import HTTP
import Logging
import Loop
import Notifications
import Postgres
import Privacy
import Projects
import Telemetry
import Webhooks
import Workspace
import Wire

/// One running Infinity: its loops, database, routes, server and background work, wired once in this file.
public final class Instance: Sendable {
    /// The parts of the product. A new domain is one more name here and in Package.swift.
    public static var domains: [any Domain.Type] {
        [
            Mailroom.self,
            AuthDomain.self,
            CompaniesDomain.self,
            BackgroundWorkDomain.self,
            WebhooksDomain.self,
            NotificationsDomain.self,
            FilesDomain.self,
            AuditTrailDomain.self,
            PrivacyDomain.self,
            ConfigDomain.self,
            WorkspaceDomain.self,
            ProjectsDomain.self,
            CRMDomain.self,
        ]
    }

    public static let version = "0.1.0"

    public let application: Application
    public let database: Database
    public let environment: Environment
    public let loops: LoopGroup
    public let metrics: Metrics
    private let settings: Settings
    private let server: HTTPServer
    private let accessLog: AccessLog?
    private let workforce: Workforce
    private let jobs: JobEngine
    private let telling: JobTelling
    private let watch = JobWatch()
    private let auth: AuthParts
    private let log = Logger(label: "instance")

    /// Wires everything; nothing listens and nothing works yet.
    /// - Parameters:
    ///   - databaseURL: where the server works, as a role that row-level security binds.
    ///   - settings: complete, with the keys kept or given.
    ///   - ownerURL: where the owner of the tables works, for what the serving role may not do: ending the record of
    ///     changes when its retention is over. Without it that waits for an operator.
    ///   - domains: all of them, unless a test adds one of its own.
    ///   - declared: what these declare, when it has been read already.
    public init(
        _ settings: Settings, databaseURL: String, ownerURL: String? = nil,
        domains: [any Domain.Type] = Instance.domains, declared: [DomainRoutes]? = nil
    ) async throws {
        self.settings = settings
        loops = LoopGroup(count: settings.loops > 0 ? settings.loops : LoopGroup.cores)
        database = Database(settings.database(at: databaseURL), loops: loops)
        metrics = Metrics(loops: loops.loops.count)
        metrics.observeProcess(version: Self.version)
        metrics.observe(database)
        EventCatalogue.declare(domains.flatMap { $0.events })
        PermissionCatalogue.declare(domains.flatMap { $0.permissions })
        NotificationCatalogue.declare(domains.flatMap { $0.notifications })
        WatchableCatalogue.declare(domains.flatMap { $0.watchables }, seenBy: domains.flatMap { $0.subjects })
        QuotaCatalogue.declare(domains.flatMap { $0.quotas })
        LiveSettingCatalogue.declare(domains.flatMap { $0.settings })

        var environment = Environment()
        environment.set(settings)
        environment.set(loops)
        environment.set(database)
        environment.set(metrics)
        environment.set(HandoverParts(domains.flatMap { $0.handovers }))
        environment.set(GrantableObjects(domains.flatMap { $0.grantableObjects }))
        environment.set(WorkspaceParts(domains))
        environment.set(settings.keyRing)
        MailSeal.use(settings.keyRing)
        environment.set(CacheNews(database))
        environment.set(Declarations(domains))
        if let ownerURL { environment.set(settings.owner(at: ownerURL, loops)) }
        environment.set(PublicAddress(settings.publicURL.text))
        if let transport = try settings.mailTransport(on: loops.next()) { environment.set(transport) }
        let reactions = domains.flatMap { $0.reactions }
        let handlers = domains.flatMap { $0.jobs }
        let (queues, crons) = (domains.flatMap { $0.queues }, domains.flatMap { $0.crons })
        environment.set(JobCatalogue(handlers, queues: queues, crons: crons, reactions: reactions))
        environment.set(watch)
        for domain in domains { try await domain.start(&environment) }
        self.environment = environment
        auth = environment[AuthParts.self]

        accessLog = settings.accessLog ? AccessLog(loops: loops) : nil
        application = try Application(
            (declared ?? domains.map { $0.declaration }).filter {
                $0.name != Mailroom.name || settings.developmentOutbox
            },
            configuration: settings.api(version: Self.version), authenticator: auth.authenticator,
            database: database,
            environment: environment, metrics: metrics,
            accessLog: accessLog)
        server = try HTTPServer(loops, settings.http(), application)
        metrics.observe(server)
        let (flags, live) = (environment[FlagStore.self], environment[LiveSettings.self])
        metrics.observe([
            ("flags", { @Sendable in flags.figures }), ("settings", { @Sendable in live.figures }),
        ])
        let dispatcher = EventDispatcher(reactions)
        workforce = Workforce(
            domains.flatMap { $0.workers } + dispatcher.workers + JobHousekeeping.workers + [
                SearchUpkeep.worker
            ]
                + [Self.sweepOfRepeats], database: database,
            environment: environment, loops: loops)
        jobs = JobEngine(
            handlers, queues: queues, crons: crons, database: database, environment: environment,
            figures: workforce.figures)
        telling = JobTelling(database)
        metrics.observe(workforce.figures)
    }

    /// Forgets the answers kept for repeated requests once their day is over.
    private static let sweepOfRepeats = Worker.single("sweep-repeats", every: .seconds(3600)) { work in
        _ = try await Idempotency.sweep(work.database)
        return .idle
    }

    /// What the domains declare, as the API takes it.
    public static var routes: [DomainRoutes] {
        domains.map { $0.declaration }
    }
}

/// Starting and ending.
extension Instance {
    /// Begins to work; returns the ports that are listened on, in the order http, https.
    /// - Parameters:
    ///   - serves: answers requests; without it this process does background work alone.
    ///   - works: does background work.
    public func start(serves: Bool = true, works: Bool = true) async throws -> [Int] {
        try await auth.start(on: loops.next())
        environment[CacheNews.self].start(on: loops.next())
        try await environment[FlagStore.self].start(on: loops.next())
        try await environment[LiveSettings.self].refresh()
        ConfigDomain.govern(application.rates, by: environment[LiveSettings.self])
        if serves { application.rates.start(on: loops.next()) }
        registerChecks()
        let ports = serves ? try server.start() : []
        if serves { watch.start(database) }
        if works {
            workforce.start()
            jobs.start()
        }
        return ports
    }

    /// Lets requests in flight and the round in hand of each worker finish, then closes everything.
    ///
    /// Balancers learn from /readyz at once; who is still busy at the deadline of the settings is cut off.
    public func stop() async {
        application.health.beginDrain()
        server.beginDrain()
        async let answered: Void = server.drained(deadline: .seconds(settings.drainSeconds))
        async let worked: Void = workforce.stop()
        async let finished: Void = jobs.stop(within: .seconds(settings.drainSeconds))
        _ = await (answered, worked, finished)
        auth.stop()
        telling.stop()
        application.rates.stop()
        environment[CacheNews.self].stop()
        await environment[FlagStore.self].stop()
        watch.stop()
        await database.close()
        await environment.find(OwnerDatabase.self)?.database.close()
        await accessLog?.flush()
    }

    /// Takes the certificate anew from its files; connections go on. A bad one changes nothing and is thrown.
    public func reloadCertificates() throws { try server.reloadCertificates() }

    private func registerChecks() {
        application.health.register(
            Health.Check("database") { [database] in
                do {
                    _ = try await database.query("SELECT 1", deadline: .seconds(1))
                    return nil
                } catch {
                    return "the database does not answer"
                }
            })
    }
}
