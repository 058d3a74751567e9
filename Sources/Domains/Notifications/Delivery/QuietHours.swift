import Postgres
import Wire

/// When a person is not to be disturbed, worked out by the database, whose time zones know every change of the clocks:
/// 22:00 to 07:00 is eight, nine or ten hours long.
enum QuietHours {
    /// The end of the quiet hours that hold at `now`, or NULL.
    static func end(_ quiet: StaticString, _ zone: StaticString, _ now: Timestamp) -> SQL {
        let zone: SQL = "\(unescaped: "\(zone)")"
        return """
            (SELECT max(stretch.ends)
               FROM (SELECT (day + (part.value ->> 'from')::time) AT TIME ZONE \(fragment: zone) AS begins,
                            (day + (part.value ->> 'to')::time
                                 + CASE WHEN (part.value ->> 'to')::time <= (part.value ->> 'from')::time
                                        THEN interval '1 day' ELSE interval '0' END)
                                AT TIME ZONE \(fragment: zone) AS ends
                       FROM generate_series(date_trunc('day', \(now) AT TIME ZONE \(fragment: zone)) - interval '1 day',
                                            date_trunc('day', \(now) AT TIME ZONE \(fragment: zone)),
                                            interval '1 day') AS day
                      CROSS JOIN jsonb_array_elements(\(unescaped: "\(quiet)")) AS part (value)
                      WHERE part.value -> 'days' @> to_jsonb(extract(isodow FROM day)::integer)) stretch
              WHERE stretch.begins <= \(now) AND \(now) < stretch.ends)
            """
    }

    /// The next time of day at which the person wants digests; `z` names the zone and the time.
    static func nextDaily(_ zone: StaticString, _ now: Timestamp) -> SQL {
        next(zone, now, "interval '1 day'", "day")
    }

    /// The same on the next Monday.
    static func nextWeekly(_ zone: StaticString, _ now: Timestamp) -> SQL {
        next(zone, now, "interval '7 days'", "week")
    }

    private static func next(
        _ zone: StaticString, _ now: Timestamp, _ step: StaticString, _ unit: StaticString
    ) -> SQL {
        let zone: SQL = "\(unescaped: "\(zone)")"
        let first: SQL =
            "date_trunc('\(unescaped: "\(unit)")', \(now) AT TIME ZONE \(fragment: zone)) + z.digest_time"
        return """
            CASE WHEN (\(fragment: first)) AT TIME ZONE \(fragment: zone) > \(now)
                 THEN (\(fragment: first)) AT TIME ZONE \(fragment: zone)
                 ELSE (\(fragment: first) + \(unescaped: "\(step)")) AT TIME ZONE \(fragment: zone) END
            """
    }
}
