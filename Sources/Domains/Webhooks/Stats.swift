import API
import Core
import Postgres
import Wire

/// How well an endpoint does.
enum Stats {
    @RouteList static var routes: [Route] {
        GET("/v1/webhook-endpoints/{id}/stats", "See how well an endpoint does", .can(.webhooksRead), read)
            .describe(
                "Counted over attempts, of the last week unless `days` says otherwise; days are those of UTC."
            )
    }

    struct Span: Codable, Sendable {
        let days: Whole<1, 60>?
    }

    struct StatsDay: Codable, Sendable {
        let day: LocalDate
        let delivered: Int
        let failed: Int
        let durationMsP50: Int?
        let durationMsP99: Int?
    }

    struct EndpointStats: Codable, Sendable, FieldNotes {
        let endpointId: UUID
        let days: Int
        let delivered: Int
        let failed: Int
        let givenUp: Int
        let successRate: Double?
        let durationMsP50: Int?
        let durationMsP99: Int?
        let pending: Int
        let failingSince: Timestamp?
        let byDay: [StatsDay]

        static let fieldNotes = [
            "failed": "Attempts that failed, whether they are tried again or not.",
            "given_up": "Deliveries whose whole schedule failed.",
            "success_rate": "Delivered by all attempts, 0 to 1; null without any.",
            "pending": "Deliveries that are still to be made.",
            "failing_since": "When the first of the failures since the last success was.",
        ]
    }

    static func read(_ call: Call, _ id: Path<UUID>, _ span: Query<Span>) async throws -> Single<
        EndpointStats
    > {
        let company = try call.company
        let days = span.days?.value ?? 7
        let since = MessageId.least(at: call.now - .seconds(days * 86_400))
        let there = try await call.db.query(
            """
            SELECT (SELECT count(*) FROM webhook_deliveries d WHERE d.endpoint_id = e.id) AS pending,
                   (SELECT l.first_failure_at FROM webhook_lanes l WHERE l.endpoint_id = e.id) AS failing_since
              FROM webhook_endpoints e WHERE e.company_id = \(company) AND e.id = \(id)
            """)
        guard let now = there.first else { throw Problem.notFound }
        let rows = try await call.db.report(
            """
            SELECT (at AT TIME ZONE 'UTC')::date AS day, count(*) FILTER (WHERE outcome = 'delivered') AS delivered,
                   count(*) FILTER (WHERE outcome <> 'delivered') AS failed,
                   count(*) FILTER (WHERE outcome = 'given_up') AS given_up,
                   percentile_disc(0.5) WITHIN GROUP (ORDER BY duration_ms) FILTER (WHERE outcome = 'delivered') AS p50,
                   percentile_disc(0.99) WITHIN GROUP (ORDER BY duration_ms) FILTER (WHERE outcome = 'delivered') AS p99
              FROM webhook_attempts
             WHERE company_id = \(company) AND endpoint_id = \(id) AND id >= \(since)
             GROUP BY GROUPING SETS ((1), ()) ORDER BY 1 NULLS LAST
            """)
        let all = rows[rows.count - 1]
        let (delivered, failed): (Int, Int) = (try all.get("delivered"), try all.get("failed"))
        let byDay = try rows.dropLast().map { row in
            StatsDay(
                day: try row.get("day"), delivered: try row.get("delivered"), failed: try row.get("failed"),
                durationMsP50: try row.get("p50"), durationMsP99: try row.get("p99"))
        }
        return Single(
            EndpointStats(
                endpointId: id.value, days: days, delivered: delivered, failed: failed,
                givenUp: try all.get("given_up"),
                successRate: delivered + failed == 0 ? nil : Double(delivered) / Double(delivered + failed),
                durationMsP50: try all.get("p50"), durationMsP99: try all.get("p99"),
                pending: try now.get("pending"),
                failingSince: try now.get("failing_since"), byDay: byDay))
    }
}
