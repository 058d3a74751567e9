import Postgres
import Wire

/// What an amount is in the company's own currency.
///
/// A rate is what one unit of a currency is worth in the company's; the newest of the day or before it counts. The result
/// is rounded to the minor unit, halves away from zero. Where no rate is known there is none: null, never a guess.
enum DealWorth {
    /// A subquery of one row or none: base_minor, rate, rate_on.
    static func of(_ amount: SQL, _ currency: SQL, at moment: SQL, company: UUID) -> SQL {
        """
        SELECT round(\(fragment: amount) * known.rate
                     * power(10::numeric, minor_digits(house.currency) - minor_digits(\(fragment: currency))))::bigint AS base_minor,
               known.rate, known.on_day AS rate_on
          FROM companies house
         CROSS JOIN LATERAL (
            SELECT 1::numeric AS rate, (\(fragment: moment) AT TIME ZONE house.time_zone)::date AS on_day
             WHERE house.currency = \(fragment: currency)
             UNION ALL
            (SELECT x.rate, x.on_day FROM exchange_rates x
              WHERE x.company_id = \(company) AND x.currency = \(fragment: currency)
                AND x.on_day <= (\(fragment: moment) AT TIME ZONE house.time_zone)::date
              ORDER BY x.on_day DESC LIMIT 1)
             LIMIT 1) AS known
         WHERE house.id = \(company) AND \(fragment: amount) IS NOT NULL
        """
    }

    /// Values deals anew at the rate of a moment. What is won or lost keeps the value it was closed with, so whoever
    /// closes a deal asks for this before.
    /// - Parameter which: a condition on `d`.
    static func revalue(_ which: SQL, at moment: SQL, company: UUID) -> SQL {
        """
        UPDATE deals d SET base_minor = fresh.base_minor, rate = fresh.rate, rate_on = fresh.rate_on
          FROM (SELECT d.id, worth.base_minor, worth.rate, worth.rate_on
                  FROM deals d
                  LEFT JOIN LATERAL (\(fragment: of("d.amount_minor", "d.currency", at: moment, company: company))) AS worth ON TRUE
                 WHERE d.company_id = \(company) AND d.stage_kind = 'open' AND \(fragment: which)) AS fresh
         WHERE d.company_id = \(company) AND d.id = fresh.id
           AND (d.base_minor, d.rate, d.rate_on) IS DISTINCT FROM (fresh.base_minor, fresh.rate, fresh.rate_on)
        """
    }
}
