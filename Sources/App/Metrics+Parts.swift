import Core
import HTTP
import Postgres
import Telemetry

/// The figures of the parts below, under the names they have in /metrics.
extension Metrics {
    func observe(_ database: Database) {
        observe(
            .gauge, "db_pool_connections", "Connections to PostgreSQL by what they do.", labels: ["state"]
        ) {
            let figures = database.statistics
            return [
                (["leased"], Double(figures.leasedConnections)),
                (["open"], Double(figures.openConnections)),
            ]
        }
        let counters: [(String, String, KeyPath<DatabaseStatistics, Int> & Sendable)] = [
            ("db_requests_total", "Requests sent to PostgreSQL.", \.requests),
            ("db_failures_total", "Requests that PostgreSQL refused or lost.", \.failures),
            ("db_retries_total", "Transactions run again after a conflict.", \.transactionRetries),
            ("db_lease_waits_total", "Transactions that had to wait for a connection.", \.leaseWaits),
            ("db_lease_refusals_total", "Transactions that got no connection in time.", \.refusals),
        ]
        for (name, help, path) in counters {
            observe(.counter, name, help) { Double(database.statistics[keyPath: path]) }
        }
        observe(.counter, "db_request_seconds_total", "Time spent waiting for PostgreSQL.") {
            database.statistics.secondsTotal
        }
    }

    func observe(_ work: WorkFigures) {
        observe(.gauge, "jobs_available", "Jobs that are due and wait.", labels: ["queue"]) {
            work.waiting.map { ([$0.key], Double($0.value.count)) }
        }
        observe(
            .gauge, "jobs_oldest_age_seconds", "How long the first of the waiting jobs has been due.",
            labels: ["queue"]
        ) {
            work.waiting.map { ([$0.key], $0.value.oldestSeconds) }
        }
        observe(.gauge, "events_waiting", "Events a reaction has still to be told of.", labels: ["reaction"])
        {
            work.events.map { ([$0.key], Double($0.value.count)) }
        }
        observe(
            .gauge, "events_lag_seconds", "How old the first of the events is that a reaction waits for.",
            labels: ["reaction"]
        ) {
            work.events.map { ([$0.key], $0.value.oldestSeconds) }
        }
        observe(
            .counter, "jobs_finished_total", "Jobs done, by kind and outcome.", labels: ["kind", "outcome"]
        ) {
            work.finished.map { ([$0.key.kind, $0.key.outcome], Double($0.value)) }
        }
    }

    func observe(_ server: HTTPServer) {
        observe(.gauge, "http_connections", "Open connections.") { Double(server.statistics.connections) }
        observe(.gauge, "http_requests_in_flight", "Requests being answered.") {
            Double(server.statistics.requestsInFlight)
        }
        observe(.counter, "http_connections_accepted_total", "Connections taken.") {
            Double(server.statistics.accepted)
        }
        observe(.counter, "http_shed_total", "Connections and requests turned away at a limit.") {
            Double(server.statistics.shed)
        }
    }

    /// What is kept in memory, and how often it was there when it was asked for.
    func observe(_ caches: [(name: String, figures: @Sendable () -> (entries: Int, hits: Int, misses: Int))])
    {
        let all = caches
        observe(.gauge, "cache_entries", "Things kept in memory.", labels: ["cache"]) {
            all.map { ([$0.name], Double($0.figures().entries)) }
        }
        observe(.counter, "cache_hits_total", "Asked for and found in memory.", labels: ["cache"]) {
            all.map { ([$0.name], Double($0.figures().hits)) }
        }
        observe(.counter, "cache_misses_total", "Asked for and fetched.", labels: ["cache"]) {
            all.map { ([$0.name], Double($0.figures().misses)) }
        }
    }
}
