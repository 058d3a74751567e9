import Loop

/// What one loop holds of a database: its shared connections and those it lends.
///
/// For the loop's thread.
// @unchecked Sendable: touched on its loop's thread alone, but for what is constant.
final class Lane: @unchecked Sendable {
    let loop: EventLoop
    let statistics = PoolStatistics()
    let dialer: Dialer
    let configuration: DatabaseConfiguration
    private(set) var pipelines: [Pipeline] = []
    private var writers: [Pipeline] = []
    private(set) var replica: Pipeline?
    private(set) var leases: LeasePool!
    private(set) var reports: LeasePool!
    private let statementNanoseconds: UInt64

    init(
        loop: EventLoop, configuration: DatabaseConfiguration, dialer: Dialer, habits: Habits,
        changed: @escaping @Sendable (DatabaseState) -> Void
    ) {
        self.loop = loop
        self.dialer = dialer
        self.configuration = configuration
        statementNanoseconds = configuration.statementDeadline.nanoseconds
        let shared = configuration.target(.shared)
        pipelines = (0..<max(1, configuration.pipelinesPerLoop)).map { _ in
            Pipeline(loop: loop, dialer: dialer, target: shared, habits: habits, statistics: statistics)
        }
        writers = (0..<configuration.writersPerLoop).map { _ in
            Pipeline(loop: loop, dialer: dialer, target: shared, habits: habits, statistics: statistics)
        }
        if configuration.replicaURL != nil {
            replica = Pipeline(
                loop: loop, dialer: dialer, target: configuration.target(.replica), habits: habits,
                statistics: statistics)
        }
        let first = pipelines[0]
        first.changed = { [unowned first] in changed(first.state) }
        leases = LeasePool(
            loop: loop, dialer: dialer, target: configuration.target(.leased), habits: habits,
            limit: configuration.leasesPerLoop, statistics: statistics, outage: { first.reason })
        reports = LeasePool(
            loop: loop, dialer: dialer, target: configuration.target(.report), habits: habits,
            limit: configuration.reportsPerLoop, statistics: statistics,
            outage: { configuration.replicaURL == nil ? first.reason : nil })
    }

    func start() {
        for pipeline in pipelines { pipeline.start() }
        replica?.start()
    }

    func close() {
        for pipeline in pipelines + writers { pipeline.close() }
        replica?.close()
        leases.close()
        reports.close()
    }

    /// Sends statements down a shared connection, the tenant before them.
    func submit(
        _ statements: [SQL], as tenant: Tenant, deadline: Duration?, on way: Way, reply: Request.Reply
    ) {
        let pipeline =
            switch way {
            case .reading: shortest
            case .lagging: lagging ?? shortest
            case .writing: writer
            }
        let now = loop.now
        let context = Context(
            tenant: tenant,
            statementDeadline: deadline ?? (configuration.isPooled ? configuration.statementDeadline : nil),
            lockDeadline: configuration.isPooled ? DatabaseLimits.sharedLockDeadline : nil)
        let request = Request(
            opening: Opening(context: context), statements: statements, started: now,
            deadline: now &+ (deadline?.nanoseconds ?? statementNanoseconds), statistics: statistics,
            reply: reply)
        request.divert = { [unowned self] in divert($0) }
        pipeline.submit(request)
    }

    /// Sends a request whose rows are locked down a connection of its own, where it may wait. Nothing of it has taken
    /// effect: its transaction was rolled back whole.
    private func divert(_ request: Request) {
        statistics.diverted()
        request.wasResent = false
        request.opening?.context.lockDeadline = configuration.lockDeadline
        leases.take(until: min(request.deadline, loop.now &+ configuration.leaseDeadline.nanoseconds)) {
            [self] answer in
            switch answer {
            case .failure(let error): request.answer(.failed(error))
            case .success(let connection):
                request.afterwards = { [self] in leases.give(back: connection) }
                connection.send(request)
            }
        }
    }

    private var lagging: Pipeline? { replica.flatMap { $0.isUp ? $0 : nil } }

    /// What a statement may share a connection with.
    enum Way { case reading, lagging, writing }

    /// The first writer that is not busy, else the least busy one. While none stands, a write goes with the reads.
    private var writer: Pipeline {
        var best: Pipeline?
        for writer in writers {
            writer.start()
            guard writer.isUp else { break }
            if writer.depth < DatabaseLimits.busyWriter { return writer }
            if best.map({ writer.depth < $0.depth }) ?? true { best = writer }
        }
        return best ?? shortest
    }

    private var shortest: Pipeline {
        var shortest = pipelines[0]
        for pipeline in pipelines.dropFirst() where pipeline.depth < shortest.depth { shortest = pipeline }
        return shortest
    }

    /// Runs `work` on the loop's thread: at once when this is it.
    func perform(_ work: @escaping @Sendable () -> Void) {
        if loop.isCurrent { work() } else { loop.execute(work) }
    }
}

extension DatabaseConfiguration {
    enum Use { case shared, leased, report, replica }

    /// Where connections for this use lead and what their sessions begin with.
    func target(_ use: Use) -> Target {
        var target = Target(
            url: use == .report || use == .replica ? replicaURL ?? url : url,
            isPooled: isPooled, role: role, applicationName: applicationName)
        let statement = use == .report ? reportDeadline : statementDeadline
        target.settings = [
            ("statement_timeout", "\(statement.milliseconds)"),
            (
                "lock_timeout",
                "\((use == .shared ? DatabaseLimits.sharedLockDeadline : lockDeadline).milliseconds)"
            ),
            ("idle_in_transaction_session_timeout", "\(idleDeadline.milliseconds)"),
            ("TimeZone", "UTC"),
        ]
        // Compiling a plan takes longer than any of the short statements here.
        if use != .report { target.settings.append(("jit", "off")) }
        return target
    }
}
