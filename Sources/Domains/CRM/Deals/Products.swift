import API
import Core
import Postgres
import Wire

/// What a company sells, with its price list.
enum Products {
    @RouteList static var routes: [Route] {
        GET("/v1/products", "List products", .can(.crmRead), list)
        POST("/v1/products", "Create a product", .can(.crmManage), create)
            .problems(.productSKUTaken, .tooManyProducts)
            .example(body: [
                "sku": "DES-DAY", "name": "Design, per day", "unit": "day", "tax_bp": 1_900,
                "prices": [["currency": "EUR", "unit_price_minor": 96_000]],
            ])
        GET("/v1/products/{id}", "Read a product", .can(.crmRead), read)
        PATCH("/v1/products/{id}", "Change a product", .can(.crmManage), change)
            .problems(.productSKUTaken)
            .describe(
                "`prices` replaces the whole price list. Lines of deals keep the price they were made with."
            )
            .example(body: ["prices": [["currency": "EUR", "unit_price_minor": 99_000]]])
        DELETE("/v1/products/{id}", "Delete a product", .can(.crmManage), delete)
            .describe("One that is in deals is archived in place of it.")
    }

    struct Price: Codable, Sendable {
        let currency: CurrencyCode
        let unitPriceMinor: Cents
    }

    struct Product: Codable, Sendable, FieldNotes {
        let id: UUID
        let sku: String
        let name: String
        let description: String?
        let unit: String?
        let taxBp: Int
        let prices: [ListedPrice]
        let archivedAt: Timestamp?
        let version: Int
        let createdAt: Timestamp
        let updatedAt: Timestamp

        static let fieldNotes = ["prices": "One for each currency; none without crm:amounts."]
    }

    struct ListedPrice: Codable, Sendable {
        let currency: String
        let unitPriceMinor: Int64
    }

    struct NewProduct: Codable, Sendable {
        let sku: Text<60>
        let name: Text<200>
        let description: Prose<10_000>?
        let unit: Text<30>?
        let taxBp: Whole<0, 10_000>?
        let prices: UpTo<30, Price>?
    }

    struct ProductChange: Codable, Sendable {
        let sku: Text<60>?
        let name: Text<200>?
        let description: Clearable<Prose<10_000>>
        let unit: Clearable<Text<30>>
        let taxBp: Whole<0, 10_000>?
        let prices: UpTo<30, Price>?
        let isArchived: Bool?
    }

    struct Filter: ListFilter {
        let sku: [String]?
        let isArchived: Bool?
        static let sorts = ["name", "sku", "-created_at", "-updated_at"]
        static let search = ["name", "sku"]
        static let ownFields: Set<String> = ["is_archived"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Product> {
        let archived: SQL = list.isArchived == true ? "p.archived_at IS NOT NULL" : "p.archived_at IS NULL"
        return try await call.page(list, "\(fragment: select(call)) AND \(fragment: archived)")
    }

    @inline(never)
    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Product> {
        try Single(await row(id.value, call))
    }

    static func create(_ call: Call, _ body: Body<NewProduct>) async throws -> Created<Product> {
        let (company, id) = (try call.company, UUID.v7())
        if body.prices != nil { try call.require(.crmAmounts) }
        let limit = RowLimit(
            DealLimits.productsMax, "SELECT count(*) FROM products WHERE company_id = \(company)",
            else: .tooManyProducts)
        let record = Audit.sql(
            Audit.Entry(
                "product.created", on: "product", id,
                after: ["sku": .string(body.sku.text), "name": .string(body.name.text)]),
            by: call.actor, company: company)
        let prices = try prices(body.prices?.items ?? [], of: id, company)
        _ = try await call.create(under: limit, also: prices + [record]) { isBelow in
            """
            INSERT INTO products (company_id, id, sku, name, description, unit, tax_bp)
            SELECT \(company), \(id), \(body.sku), \(body.name), \(body.description), \(body.unit), \(body.taxBp?.value ?? 0)
             WHERE \(fragment: isBelow) RETURNING id
            """
        }
        return try Created(await row(id, call))
    }

    private static func prices(_ prices: [Price], of product: UUID, _ company: UUID) throws -> [SQL] {
        let codes = prices.map(\.currency.text)
        if Set(codes).count < codes.count {
            throw Problem.unprocessable("/prices", "repeated", "has two prices in one currency")
        }
        if prices.isEmpty { return [] }
        return [
            """
            INSERT INTO product_prices (company_id, product_id, currency, unit_price_minor)
            SELECT \(company)::uuid, \(product)::uuid, price.currency, price.minor
              FROM unnest(\(codes)::text[], \(prices.map(\.unitPriceMinor.value))::bigint[]) AS price (currency, minor)
            """
        ]
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<ProductChange>) async throws -> Single<
        Product
    > {
        let change = body.value
        if change.prices != nil { try call.require(.crmAmounts) }
        try await call.db.transaction { tx in try await apply(change, to: id.value, call, tx) }
        return try Single(await row(id.value, call))
    }

    @inline(never)
    private static func apply(_ change: ProductChange, to id: UUID, _ call: Call, _ tx: Transaction)
        async throws
    {
        let company = try call.company
        let name = try await lock(id, call, tx)
        var changes = Changes()
        changes.set("sku", change.sku)
        changes.set("name", change.name)
        changes.set("description", change.description)
        changes.set("unit", change.unit)
        changes.set("tax_bp", change.taxBp)
        if let isArchived = change.isArchived {
            changes.set("archived_at", to: isArchived ? "coalesce(archived_at, now())" : "NULL")
        }
        var statements: [SQL] = [
            "UPDATE products SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = \(id)",
            Audit.sql(
                Audit.Entry(
                    "product.changed", on: "product", id, before: ["name": .string(name)],
                    after: try JSON(encoding: change)),
                by: call.actor, company: company),
        ]
        if let list = change.prices {
            statements.append(
                "DELETE FROM product_prices WHERE company_id = \(company) AND product_id = \(id)")
            statements += try prices(list.items, of: id, company)
        }
        _ = try await tx.batch(statements)
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        try await call.db.transaction { tx in try await remove(id.value, call, tx) }
        return NoContent()
    }

    @inline(never)
    private static func remove(_ id: UUID, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        let name = try await lock(id, call, tx)
        let isSold: SQL =
            "EXISTS (SELECT 1 FROM deal_lines l WHERE l.company_id = \(company) AND l.product_id = \(id))"
        _ = try await tx.batch([
            """
            UPDATE products SET archived_at = coalesce(archived_at, now()), version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = \(id) AND \(fragment: isSold)
            """,
            "DELETE FROM products WHERE company_id = \(company) AND id = \(id) AND NOT \(fragment: isSold)",
            Audit.sql(
                Audit.Entry("product.deleted", on: "product", id, before: ["name": .string(name)]),
                by: call.actor,
                company: company),
        ])
    }

    @inline(never)
    private static func lock(_ id: UUID, _ call: Call, _ tx: Transaction) async throws -> String {
        let rows = try await tx.query(
            "SELECT name, version FROM products WHERE company_id = \(try call.company) AND id = \(id) FOR UPDATE"
        )
        guard let row = rows.first else { throw Problem.notFound }
        try call.requireVersion(row.get("version"))
        return try row.get("name")
    }

    @inline(never)
    private static func row(_ id: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query("\(fragment: select(call)) AND p.id = \(id)")
    }

    private static func select(_ call: Call) throws -> SQL {
        """
        SELECT p.id, p.sku, p.name, p.description, p.unit, p.tax_bp,
               (SELECT coalesce(jsonb_agg(jsonb_build_object(
                           'currency', price.currency, 'unit_price_minor', price.unit_price_minor)
                           ORDER BY price.currency), '[]')
                  FROM product_prices price
                 WHERE price.company_id = p.company_id AND price.product_id = p.id
                   AND \(call.principal?.permissions.contains(.crmAmounts) ?? false)) AS prices,
               p.archived_at, p.version, p.created_at, p.updated_at
          FROM products p WHERE p.company_id = \(try call.company)
        """
    }
}
