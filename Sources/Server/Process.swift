import App
import Core
import Dispatch
import Glibc
import HTTP
import Logging
import Postgres
import Telemetry

/// One process from its start to its end: database, migrations, instance, signals.
///
/// Runs on the main thread, which only waits: the loops do the work, and the embedded database needs a thread that
/// lives as long as it.
struct Process {
    var serves = true
    var works = true
    var migrates = true
    var showsDemo = false

    /// How often an embedded database that ended by itself is started again before we give up.
    private static let restartsPerMinuteMax = 5

    func run() throws {
        let began = ContinuousClock.now
        Signals.hold()
        let settings = try Settings.load().withKeptKeys()
        JSONLogHandler.bootstrap(level: settings.logLevel.level)
        defer { LineWriter.standardError.flush() }
        let log = Logger(label: "infinity")

        // Reading some hundred declarations takes as long as the database takes to start.
        let declared = Task.detached { Instance.routes }
        let place = try DatabasePlace(settings: settings)
        defer { place.stop() }
        if let own = place.embedded {
            log.notice(
                "embedded PostgreSQL, not for production",
                metadata: ["version": .stringConvertible(own.version), "folder": .string(settings.data)])
        }
        try prepare(place, log)

        let instance = try waiting {
            try await Instance(
                settings, databaseURL: place.url, ownerURL: place.ownerURL, declared: await declared.value)
        }
        let ports = try open(instance, settings)
        let milliseconds = (ContinuousClock.now - began).milliseconds
        log.notice(
            "ready",
            metadata: [
                "ports": .array(ports.map { .stringConvertible($0) }),
                "url": .string(settings.publicURL.text),
                "milliseconds": .stringConvertible(milliseconds),
            ])
        if showsDemo {
            Welcome.show(
                try waiting { try await DemoCompany(of: instance, settings: settings).make() }, settings)
        }
        try watch(instance, place, settings, log)
        log.notice("stopped")
    }

    private func prepare(_ place: DatabasePlace, _ log: Logger) throws {
        let migrator = try Migrator(url: place.ownerURL, folder: ShippedFiles.migrations)
        guard migrates else {
            let pending = try waiting { try await migrator.status() }.filter { $0.state == .pending }.map(
                \.migration.name)
            guard pending.isEmpty else {
                throw Failure(
                    code: .configuration,
                    message: "the schema lacks \(pending.joined(separator: ", ")); bring it up to date with: "
                        + "infinity migrate")
            }
            return
        }
        _ = try waiting {
            try await migrator.migrate { name, milliseconds in
                log.notice(
                    "migrated",
                    metadata: ["migration": .string(name), "milliseconds": .stringConvertible(milliseconds)])
            }
        }
    }

    private func open(_ instance: Instance, _ settings: Settings) throws -> [Int] {
        do {
            return try waiting { try await instance.start(serves: serves, works: works) }
        } catch let error as ListenError {
            throw Failure(listen: error, settings)
        }
    }

    /// Waits for signals until the process shall end.
    private func watch(_ instance: Instance, _ place: DatabasePlace, _ settings: Settings, _ log: Logger)
        throws
    {
        var restarts: [ContinuousClock.Instant] = []
        var deadline: ContinuousClock.Instant?
        while true {
            switch Signals.next(until: deadline) {
            case Signals.reload:
                reload(instance, log)
            case Signals.childEnded:
                guard let own = place.embedded, let exit = own.ended(), deadline == nil else { continue }
                log.error("the embedded PostgreSQL ended by itself", metadata: ["how": .string(exit)])
                restarts = restarts.filter { $0 > .now - .seconds(60) } + [.now]
                guard restarts.count <= Self.restartsPerMinuteMax else {
                    throw Failure(
                        code: .unavailable, message: "the embedded PostgreSQL ends again and again (\(exit))")
                }
                try own.restart()
            case Signals.wakeUp:
                return
            case .some(let signal) where Signals.stop.contains(signal) && deadline == nil:
                log.notice(
                    "stopping", metadata: ["within_seconds": .stringConvertible(settings.drainSeconds)])
                // Beyond the time for requests in flight, the workers' rounds may take a little more.
                deadline = .now + .seconds(settings.drainSeconds + 10)
                Task.detached {
                    await instance.stop()
                    Signals.wakeMainThread()
                }
            case .some, .none:
                log.warning("stopped at once; what was in flight is cut off")
                return
            }
        }
    }

    private func reload(_ instance: Instance, _ log: Logger) {
        do {
            try instance.reloadCertificates()
            log.notice("certificates read again")
        } catch {
            log.error("the certificates stay as they were", metadata: ["reason": .string("\(error)")])
        }
    }
}

extension Duration {
    fileprivate var milliseconds: Int {
        Int(components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000)
    }
}

extension SettingsCatalogue.Level {
    fileprivate var level: Logger.Level { Logger.Level(rawValue: rawValue) ?? .info }
}
