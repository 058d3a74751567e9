import API
import Core
import Loop
import Postgres
import Wire

/// What this instance is and how it was told to be.
enum SystemPages {
    @RouteList static var routes: [Route] {
        GET("/v1/system/config", "Read this instance's configuration", .operator, config)
            .describe(
                "What was set in the environment or the file and what holds by default; secrets are masked.")
        GET("/v1/system/info", "Read about this instance", .operator, info)
            .describe(
                "Each instance answers for itself: the versions of flags and settings say whether two agree.")
    }

    struct Configuration: Codable, Sendable {
        struct Line: Codable, Sendable {
            let name: String
            let value: String
            let source: String
        }

        let settings: [Line]
    }

    static func config(_ call: Call) async throws -> Single<Configuration> {
        let lines = call.environment[Settings.self].lines
        return Single(
            Configuration(
                settings: lines.map { Configuration.Line(name: $0.name, value: $0.value, source: $0.source) })
        )
    }

    struct Info: Codable, Sendable {
        struct Held: Codable, Sendable {
            let entries: Int
            let hits: Int
            let misses: Int
        }

        let mode: String
        let loops: Int
        let database: String
        let flagsVersion: Int64
        let settingsVersion: Int64
        let caches: [String: Held]
    }

    static func info(_ call: Call) async throws -> Single<Info> {
        let environment = call.environment
        let (flags, live) = (environment[FlagStore.self], environment[LiveSettings.self])
        let rows = try await call.db.query("SELECT current_setting('server_version') AS version")
        func held(_ figures: (entries: Int, hits: Int, misses: Int)) -> Info.Held {
            Info.Held(entries: figures.entries, hits: figures.hits, misses: figures.misses)
        }
        return Single(
            Info(
                mode: environment[Settings.self].mode.rawValue,
                loops: environment[LoopGroup.self].loops.count,
                database: "PostgreSQL \(try rows[0].get("version", as: String.self))",
                flagsVersion: flags.system.version, settingsVersion: live.systemVersion,
                caches: ["flags": held(flags.figures), "settings": held(live.figures)]))
    }
}
