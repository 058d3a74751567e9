import API
import Core
import Postgres
import Wire

/// What currencies are worth in the company's own, from a day on until the next one that is given.
enum ExchangeRates {
    @RouteList static var routes: [Route] {
        GET("/v1/exchange-rates", "List exchange rates", .can(.crmRead), list)
        PUT("/v1/exchange-rates/{currency}/{day}", "Set an exchange rate", .can(.crmManage), set)
            .operation("setExchangeRate")
            .describe(
                "What one unit of the currency is worth in the company's, from that day on. Open deals are valued anew at the "
                    + "newest rate there is for today; what is won or lost keeps its worth."
            )
            .example(body: ["rate": "0.9214"])
        DELETE("/v1/exchange-rates/{currency}/{day}", "Delete an exchange rate", .can(.crmManage), delete)
            .operation("deleteExchangeRate")
    }

    struct ExchangeRate: Codable, Sendable {
        let currency: String
        let onDay: LocalDate
        let rate: String
        let updatedAt: Timestamp
    }

    struct RateBody: Codable, Sendable { let rate: Rate }

    /// A positive number as text, so that nobody rounds it on its way.
    struct Rate: TextValue, SQLBindable {
        let text: String
        init(unchecked text: String) { self.text = text }

        static var rule: TextRule {
            TextRule(length: 1...20, pattern: "^[0-9]{1,9}(\\.[0-9]{1,10})?$") { text in
                text.contains(where: { $0 != "0" && $0 != "." }) ? nil : "must be more than zero"
            }
        }
        static var exampleText: String { "0.9214" }
    }

    struct Filter: ListFilter {
        let currency: [CurrencyCode]?
        let onDay: Bounds<LocalDate>?
        static let sorts = ["-on_day", "currency"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<ExchangeRate> {
        try await call.page(list, "\(fragment: select(call.company))")
    }

    static func set(
        _ call: Call, _ currency: Path<CurrencyCode>, _ day: Path<LocalDate>, _ body: Body<RateBody>
    ) async throws -> Single<ExchangeRate> {
        let (code, on, rate) = (currency.value.text, day.value, body.rate.text)
        try await call.db.transaction { tx in try await write(rate, of: code, on, call, tx) }
        let sql = select(try call.company)
        return try Single(
            await call.db.query(
                "SELECT currency, on_day, rate, updated_at FROM (\(fragment: sql)) x WHERE x.currency = \(code) AND x.on_day = \(on)"
            ))
    }

    @inline(never)
    private static func write(
        _ rate: String?, of currency: String, _ day: LocalDate, _ call: Call, _ tx: Transaction
    ) async throws {
        let company = try call.company
        let own = try await tx.query(
            "SELECT 1 FROM companies WHERE id = \(company) AND currency = \(currency)")
        if !own.isEmpty {
            throw Problem.unprocessable([
                .parameter("currency", "own-currency", "is the company's own: it is worth itself")
            ])
        }
        let change: SQL
        if let rate {
            change = """
                INSERT INTO exchange_rates (company_id, currency, on_day, rate)
                VALUES (\(company), \(currency), \(day), \(rate)::numeric)
                ON CONFLICT ON CONSTRAINT exchange_rates_pkey DO UPDATE SET rate = excluded.rate, updated_at = now()
                RETURNING 1
                """
        } else {
            change = """
                DELETE FROM exchange_rates WHERE company_id = \(company) AND currency = \(currency) AND on_day = \(day) RETURNING 1
                """
        }
        let written = try await tx.query(change)
        if written.isEmpty { throw Problem.notFound }
        _ = try await tx.batch([
            DealWorth.revalue(
                "d.currency = \(currency) AND d.deleted_at IS NULL", at: "now()", company: company),
            Audit.sql(
                Audit.Entry(
                    rate == nil ? "exchange_rate.deleted" : "exchange_rate.set", on: "exchange_rate", nil,
                    after: [
                        "currency": .string(currency), "on_day": .string(day.description),
                        "rate": .optional(rate),
                    ]),
                by: call.actor, company: company),
        ])
    }

    static func delete(_ call: Call, _ currency: Path<CurrencyCode>, _ day: Path<LocalDate>) async throws
        -> NoContent
    {
        let (code, on) = (currency.value.text, day.value)
        try await call.db.transaction { tx in try await write(nil, of: code, on, call, tx) }
        return NoContent()
    }

    private static func select(_ company: UUID) -> SQL {
        """
        SELECT r.currency, r.on_day, trim_scale(r.rate)::text AS rate, r.updated_at, r.currency || r.on_day::text AS id
          FROM exchange_rates r WHERE r.company_id = \(company)
        """
    }
}
