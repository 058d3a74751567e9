import API
import Core
import Postgres
import Wire

/// The line items of a deal.
///
/// The net of a line is quantity times price less the discount, rounded half up to the smallest unit, once for each line.
/// The amount of the deal is the sum of the nets, as long as nobody types another one.
enum DealLines {
    @RouteList static var routes: [Route] {
        GET("/v1/deals/{id}/line-items", "List the line items of a deal", .can(.crmRead), list)
            .operation("listDealLines").describe("Takes crm:amounts, as all of them do.")
        POST("/v1/deals/{id}/line-items", "Add a line item to a deal", .can(.crmWrite), create)
            .operation("createDealLine").problems(.dealClosed, .tooManyDealParts)
            .describe(
                "Of a product, whose name, price and tax stand in for what is not given, or of anything else. The deal's amount "
                    + "becomes the sum of its lines, unless it was typed."
            )
            .example(body: [
                "name": "Design, per day", "quantity_thousandths": 12_500, "unit_price_minor": 96_000,
                "discount_bp": 500,
                "tax_bp": 1_900,
            ])
        PATCH("/v1/deals/{id}/line-items/{item_id}", "Change a line item", .can(.crmWrite), change)
            .operation("changeDealLine").problems(.dealClosed).example(body: ["quantity_thousandths": 10_000])
        DELETE("/v1/deals/{id}/line-items/{item_id}", "Delete a line item", .can(.crmWrite), delete)
            .operation("deleteDealLine").problems(.dealClosed)
    }

    struct Line: Codable, Sendable, FieldNotes {
        let id: UUID
        let productId: UUID?
        let name: String
        let quantityThousandths: Int64
        let unitPriceMinor: Int64
        let discountBp: Int
        let taxBp: Int
        let netMinor: Int64
        let taxMinor: Int64
        let position: Int
        let version: Int
        let createdAt: Timestamp
        let updatedAt: Timestamp

        static let fieldNotes = [
            "net_minor": "Quantity times price less the discount, rounded half up.",
            "tax_minor": "Of the net, rounded half up; no part of the deal's amount.",
        ]
    }

    struct NewLine: Codable, Sendable {
        let productId: UUID?
        let name: Text<200>?
        let quantityThousandths: Whole<1, 1_000_000_000>?
        let unitPriceMinor: Cents?
        let discountBp: Whole<0, 10_000>?
        let taxBp: Whole<0, 10_000>?
    }

    struct LineChange: Codable, Sendable {
        let name: Text<200>?
        let quantityThousandths: Whole<1, 1_000_000_000>?
        let unitPriceMinor: Cents?
        let discountBp: Whole<0, 10_000>?
        let taxBp: Whole<0, 10_000>?
        let position: Whole<1, 10_000>?
    }

    static func list(_ call: Call, _ id: Path<UUID>) async throws -> Page<Line> {
        try call.require(.crmAmounts)
        try await CRMAccess.require(.deal, id.value, call)
        return Page(
            all: try await call.db.query(
                "\(fragment: select(id.value, call.company)) ORDER BY l.position, l.id"))
    }

    static func create(_ call: Call, _ id: Path<UUID>, _ body: Body<NewLine>) async throws -> Created<Line> {
        try call.require(.crmAmounts)
        let (line, new) = (UUID.v7(), body.value)
        try await call.db.transaction { tx in try await insert(new, line, on: id.value, call, tx) }
        return try Created(await row(line, of: id.value, call))
    }

    @inline(never)
    private static func insert(_ new: NewLine, _ id: UUID, on deal: UUID, _ call: Call, _ tx: Transaction)
        async throws
    {
        let company = try call.company
        let head = try await lock(deal, call, tx)
        let known = try await product(new.productId, head.currency, company, tx)
        guard let name = new.name?.text ?? known?.name else {
            throw Problem.unprocessable("/name", "required", "is required without a product")
        }
        guard let price = new.unitPriceMinor?.value ?? known?.price else {
            throw Problem.unprocessable(
                "/unit_price_minor", "required", "is required: there is no price in \(head.currency)")
        }
        let isBelow = SQL.below(
            DealLimits.linesMax,
            "SELECT count(*) FROM deal_lines WHERE company_id = \(company) AND deal_id = \(deal)",
            else: .tooManyDealParts)
        let quantity = new.quantityThousandths?.value ?? 1_000
        let insert: SQL = """
            INSERT INTO deal_lines (company_id, id, deal_id, product_id, name, quantity_thousandths, unit_price_minor,
                                    discount_bp, tax_bp, position)
            SELECT \(company), \(id), \(deal), \(new.productId)::uuid, \(name), \(quantity), \(price),
                   \(new.discountBp?.value ?? 0), \(new.taxBp?.value ?? known?.tax ?? 0),
                   coalesce((SELECT max(position) FROM deal_lines WHERE company_id = \(company) AND deal_id = \(deal)), 0) + 1
             WHERE \(fragment: isBelow)
            """
        try await settle(head, [insert], isNew: true, call, tx)
    }

    static func change(
        _ call: Call, _ id: Path<UUID>, _ item: Path<UUID>, _ body: Patch<LineChange>
    ) async throws -> Single<Line> {
        try call.require(.crmAmounts)
        let change = body.value
        try await call.db.transaction { tx in try await apply(change, to: item.value, on: id.value, call, tx)
        }
        return try Single(await row(item.value, of: id.value, call))
    }

    @inline(never)
    private static func apply(
        _ change: LineChange, to id: UUID, on deal: UUID, _ call: Call, _ tx: Transaction
    ) async throws {
        let company = try call.company
        let head = try await lock(deal, call, tx)
        try await requireLine(id, of: deal, call, tx)
        var changes = Changes()
        changes.set("name", change.name)
        changes.set("quantity_thousandths", change.quantityThousandths)
        changes.set("unit_price_minor", change.unitPriceMinor)
        changes.set("discount_bp", change.discountBp)
        changes.set("tax_bp", change.taxBp)
        changes.set("position", change.position)
        let update: SQL =
            "UPDATE deal_lines SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = \(id)"
        try await settle(head, [update], isNew: false, call, tx)
    }

    static func delete(_ call: Call, _ id: Path<UUID>, _ item: Path<UUID>) async throws -> NoContent {
        try call.require(.crmAmounts)
        try await call.db.transaction { tx in try await remove(item.value, of: id.value, call, tx) }
        return NoContent()
    }

    @inline(never)
    private static func remove(_ id: UUID, of deal: UUID, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        let head = try await lock(deal, call, tx)
        try await requireLine(id, of: deal, call, tx)
        try await settle(
            head, ["DELETE FROM deal_lines WHERE company_id = \(company) AND id = \(id)"], isNew: false, call,
            tx)
    }

    @inline(never)
    private static func requireLine(_ id: UUID, of deal: UUID, _ call: Call, _ tx: Transaction) async throws {
        let rows = try await tx.query(
            "SELECT version FROM deal_lines WHERE company_id = \(try call.company) AND deal_id = \(deal) AND id = \(id)"
        )
        guard let row = rows.first else { throw Problem.notFound }
        try call.requireVersion(row.get("version"))
    }

    private struct Head: Sendable {
        let deal: DealSnapshot
        let currency: String
    }

    @inline(never)
    private static func lock(_ id: UUID, _ call: Call, _ tx: Transaction) async throws -> Head {
        let company = try call.company
        try await CRMAccess.require(.deal, id, call, tx)
        let deals = try await DealSnapshot.lock([id], company, tx)
        guard let deal = deals.first else { throw Problem.notFound }
        if deal.kind != .open { throw Problem(.dealClosed) }
        let house = try await tx.query("SELECT currency FROM companies WHERE id = \(company)")
        return Head(deal: deal, currency: try deal.currency ?? house[0].get("currency", as: String.self))
    }

    @inline(never)
    private static func product(
        _ id: UUID?, _ currency: String, _ company: UUID, _ tx: Transaction
    ) async throws -> (name: String, price: Int64?, tax: Int)? {
        guard let id else { return nil }
        let rows = try await tx.query(
            """
            SELECT p.name, p.tax_bp,
                   (SELECT price.unit_price_minor FROM product_prices price
                     WHERE price.company_id = p.company_id AND price.product_id = p.id AND price.currency = \(currency)) AS price
              FROM products p WHERE p.company_id = \(company) AND p.id = \(id)
            """)
        guard let row = rows.first else {
            throw Problem.unprocessable("/product_id", "not-found", "is no product of this company")
        }
        return (try row.get("name"), try row.get("price", as: Int64?.self), try row.get("tax_bp"))
    }

    /// Writes lines and what follows of them: the amount, its worth, the record and the event.
    @inline(never)
    private static func settle(
        _ head: Head, _ lines: [SQL], isNew: Bool, _ call: Call, _ tx: Transaction
    ) async throws {
        let (company, deal) = (try call.company, head.deal)
        let isOfLines = deal.amountIsOfLines || isNew && deal.amountMinor == nil
        var statements = lines
        statements.append(
            """
            UPDATE deals SET amount_is_of_lines = \(isOfLines), currency = coalesce(currency, CASE WHEN \(isOfLines) THEN \(head.currency)::text END),
                   amount_minor = coalesce(amount_minor, CASE WHEN \(isOfLines) THEN 0 END), version = version + 1,
                   updated_at = now()
             WHERE company_id = \(company) AND id = \(deal.id)
            """)
        if isOfLines {
            statements += [
                sum(of: deal.id, company),
                DealWorth.revalue("d.id = \(deal.id)", at: "now()", company: company),
            ]
        }
        let data = DealEvents.UpdateData(dealId: deal.id, name: deal.name, changed: ["line_items"])
        statements += [
            Audit.sql(
                Audit.Entry("deal.lines_changed", on: "deal", deal.id), by: call.actor, company: company),
            try Events.sql(DealEvents.updated, data, on: "deal", deal.id, by: call.actor, company: company),
        ]
        _ = try await tx.batch(statements)
    }

    /// Lets the amount of a deal be the sum of its lines.
    static func sum(of deal: UUID, _ company: UUID) -> SQL {
        """
        UPDATE deals d
           SET amount_minor = total.net,
               currency = coalesce(d.currency, (SELECT house.currency FROM companies house WHERE house.id = d.company_id))
          FROM (SELECT coalesce(sum(l.net_minor), 0)::bigint AS net FROM deal_lines l
                 WHERE l.company_id = \(company) AND l.deal_id = \(deal)) AS total
         WHERE d.company_id = \(company) AND d.id = \(deal)
        """
    }

    @inline(never)
    private static func row(_ id: UUID, of deal: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query("\(fragment: select(deal, call.company)) AND l.id = \(id)")
    }

    private static func select(_ deal: UUID, _ company: UUID) -> SQL {
        """
        SELECT l.id, l.product_id, l.name, l.quantity_thousandths, l.unit_price_minor, l.discount_bp, l.tax_bp, l.net_minor,
               round(l.net_minor::numeric * l.tax_bp / 10000)::bigint AS tax_minor, l.position, l.version, l.created_at,
               l.updated_at
          FROM deal_lines l WHERE l.company_id = \(company) AND l.deal_id = \(deal)
        """
    }
}
