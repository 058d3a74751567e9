import API
import Core
import Postgres
import Wire

/// Burndown and burnup of a sprint, from its history.
enum BurnReports {
    static var routes: [Route] {
        ReportRoutes.pair(
            "/v1/sprints/{id}/burndown", "the burndown of a sprint",
            "What is left at the end of each day of the project's zone, beside the ideal line over its working days and the "
                + "scope. A closed sprint ends with its closing: nothing that comes later changes it.",
            example: ReportExamples.burn
        ) { (call, id, asked: Asked) in Burndown(try await load(call, id, asked)) }
            + ReportRoutes.pair(
                "/v1/sprints/{id}/burnup", "the burnup of a sprint",
                "What is done at the end of each day, below the line of the scope.",
                example: ReportExamples.burn
            ) { (call, id, asked: Asked) in Burnup(try await load(call, id, asked)) }
    }

    struct Asked: Codable, Sendable {
        let unit: WorkUnit?
    }

    static func load(_ call: Call, _ id: UUID, _ asked: Asked) async throws -> Burn {
        let unit = asked.unit ?? .points
        let rows = try await call.db.replica(select(id, unit, call))
        guard let row = rows.first else { throw Problem.notFound }
        let days: [LocalDate] = try row.get("days")
        let (planned, added): ([Int], [Int]) = (try row.get("planned"), try row.get("added"))
        let (removed, done): ([Int], [Int]) = (try row.get("removed"), try row.get("done"))
        let steps = days.indices.map {
            BurnStep(
                day: days[$0], planned: planned[$0], added: added[$0], removed: removed[$0], done: done[$0])
        }
        let frame = BurnFrame(
            sprintId: id, name: try row.get("name"), status: try row.get("status"), unit: unit,
            timeZone: try row.get("time_zone"), startsOn: try row.get("starts_on"),
            endsOn: try row.get("ends_on"),
            workingDays: WorkingDays(try row.get("working_days")), knownThrough: try row.get("known_through"))
        return Burn(frame, steps)
    }

    /// One row: the sprint, and what its history says of each local day.
    private static func select(_ sprint: UUID, _ unit: WorkUnit, _ call: Call) throws -> SQL {
        let change: SQL = "\(fragment: unit.weight("after")) - \(fragment: unit.weight("before"))"
        return """
            SELECT s.name, s.status, p.time_zone, s.starts_on, s.ends_on,
                   coalesce(o.working_days, '{1,2,3,4,5}') AS working_days,
                   (coalesce(s.closed_at, \(call.now)) AT TIME ZONE p.time_zone)::date AS known_through,
                   coalesce(h.days, '{}') AS days, coalesce(h.planned, '{}') AS planned,
                   coalesce(h.added, '{}') AS added, coalesce(h.removed, '{}') AS removed, coalesce(h.done, '{}') AS done
              FROM sprints s
              JOIN projects p ON p.company_id = s.company_id AND p.id = s.project_id
              LEFT JOIN sprint_settings o ON o.company_id = s.company_id AND o.project_id = s.project_id
             CROSS JOIN LATERAL (
                SELECT array_agg(d.day) AS days, array_agg(d.planned) AS planned, array_agg(d.added) AS added,
                       array_agg(d.removed) AS removed, array_agg(d.done) AS done
                  FROM (SELECT (e.at AT TIME ZONE p.time_zone)::date AS day,
                               sum(CASE WHEN e.at > s.started_at THEN 0 ELSE \(fragment: change) END)::bigint AS planned,
                               sum(CASE WHEN e.at > s.started_at THEN greatest(\(fragment: change), 0) ELSE 0 END)::bigint
                                   AS added,
                               sum(CASE WHEN e.at > s.started_at THEN greatest(-(\(fragment: change)), 0) ELSE 0 END)::bigint
                                   AS removed,
                               sum(CASE WHEN e.done_after THEN \(fragment: unit.weight("after")) ELSE 0 END
                                   - CASE WHEN e.done_before THEN \(fragment: unit.weight("before")) ELSE 0 END)::bigint AS done
                          FROM sprint_events e
                         WHERE e.company_id = s.company_id AND e.sprint_id = s.id
                           AND e.at <= coalesce(s.closed_at, 'infinity')
                         GROUP BY 1 ORDER BY 1) d) h
             WHERE s.company_id = \(try call.company) AND s.id = \(sprint) AND \(fragment: try ProjectAccess.visible(call))
            """
    }
}

/// How much is left.
struct Burndown: DrawnReport {
    typealias Shape = Burn
    let burn: Burn
    init(_ burn: Burn) { self.burn = burn }
    func write(into out: ByteWriter) throws { try out.writeJSON(burn) }

    var chart: Chart {
        burn.chart(
            "\(burn.name): burndown", "\(burn.text) left",
            [
                .line("Ideal", .ideal, burn.idealPoints, .dashed),
                .line("Scope", .scope, burn.scopePoints, .stepped),
                .line("Left", .open, burn.points(\.remaining, from: burn.committed)),
            ])
    }
}

/// How much is done.
struct Burnup: DrawnReport {
    typealias Shape = Burn
    let burn: Burn
    init(_ burn: Burn) { self.burn = burn }
    func write(into out: ByteWriter) throws { try out.writeJSON(burn) }

    var chart: Chart {
        let ideal = burn.idealPoints.map { ChartPoint($0.x, burn.committed - $0.y) }
        return burn.chart(
            "\(burn.name): burnup", "\(burn.text) done",
            [
                .line("Ideal", .ideal, ideal, .dashed), .line("Scope", .scope, burn.scopePoints, .stepped),
                .line("Done", .done, burn.points(\.done, from: 0)),
            ])
    }
}

extension Burn {
    fileprivate func chart(_ title: String, _ text: String, _ lines: [ChartLayer]) -> Chart {
        let all = days.flatMap { day -> [Double] in [day.scope ?? 0, day.ideal] } + [committed]
        let off = days.filter { !$0.isWorkingDay }.map { ChartAxis.span(of: $0.day) }
        return Chart(
            title, description: text, horizontal: .days(startsOn...(days.last?.day ?? endsOn)),
            vertical: unit.axis(all), layers: [.pause(off)] + lines)
    }

    fileprivate var text: String {
        let last = days.last { $0.remaining != nil }
        return
            "\(committed) \(unit.label) were committed to; on the last day known \(last?.done ?? 0) of \(last?.scope ?? 0) are done, "
            + "\(last?.remaining ?? 0)"
    }

    fileprivate var idealPoints: [ChartPoint] {
        [ChartPoint(ChartAxis.beginning(of: startsOn), committed)]
            + days.filter { $0.day <= endsOn }.map { ChartPoint(ChartAxis.end(of: $0.day), $0.ideal) }
    }

    fileprivate var scopePoints: [ChartPoint] { points(\.scope, from: committed) }

    /// From the beginning of the first day to the end of each that is known.
    fileprivate func points(_ value: (Day) -> Double?, from start: Double) -> [ChartPoint] {
        let known = days.compactMap { day in
            value(day).map {
                ChartPoint(ChartAxis.end(of: day.day), $0, note: "\(day.day): \(ChartAxis.text($0))")
            }
        }
        return known.isEmpty ? [] : [ChartPoint(ChartAxis.beginning(of: startsOn), start)] + known
    }
}

extension WorkUnit {
    /// The upright axis of a chart in this unit.
    func axis(_ values: [Double]) -> ChartAxis {
        self == .count ? .counts(label, values) : .numbers(label, values)
    }
}
