import Core
import Postgres
import TestSupport
import Testing
import Wire

@testable import CRM

/// Deals from their first day to the last, by those who sell.
@Suite struct DealStory {
    @Test func `a deal is made, changed by who has seen it, moved and won`() async throws {
        let floor = try await SalesFloor()
        let client = floor.client
        let firm = try await floor.record("clients", "Nordwind GmbH")
        let path =
            "/v1/deals/\(try await floor.deal("Relaunch", ["amount_minor": 1_250_000, "client_id": .string(firm)]))"
        let made = try await client.get(path).expect(200).json
        #expect(
            made["currency"] == "EUR" && made["base_minor"] == 1_250_000 && made["weighted_minor"] == 125_000,
            "\(made)")
        #expect(
            made["client_name"] == "Nordwind GmbH" && made["stage_name"] == "New"
                && made["owner_id"] != .null, "\(made)")
        #expect(try await client.patch(path, ["name": "X"]).status == 428)
        #expect(try await client.with(header: "If-Match", "\"99\"").patch(path, ["name": "X"]).status == 412)
        let changed = try await client.changing(
            path, ["amount_minor": 1_000_001, "close_on": "2027-01-29", "probability_bp": 3_333])
        #expect(changed.json["weighted_minor"] == 333_300, "\(changed)")
        let stage = try floor.stage("Proposal")
        #expect(
            try await client.put("\(path)/stage", ["stage_id": .string(stage)]).expect(200).json["stage_name"]
                == "Proposal")
        let won = try await client.post("\(path)/win").expect(200).json
        #expect(won["kind"] == "won" && won["closed_at"] != .null && won["stage_name"] == "Won", "\(won)")
        #expect(try await client.post("\(path)/win").code == "deal-closed")
        #expect(try await client.changing(path, ["amount_minor": 5]).code == "deal-closed")
        #expect(try await client.put("\(path)/stage", ["stage_id": .string(stage)]).code == "deal-closed")
        let open = try await client.post("\(path)/reopen").expect(200).json
        #expect(open["stage_name"] == "Proposal" && open["closed_at"] == .null, "\(open)")
        #expect(try await client.post("\(path)/reopen").code == "deal-open")
        let history = try await client.get("\(path)/history").expect(200)
        #expect(history.texts("stage_name") == ["New", "Proposal", "Won", "Proposal"])
        #expect(try await client.get("/v1/clients/\(firm)/deals").expect(200).texts("name") == ["Relaunch"])
        let types = try await floor.database.query(
            "SELECT type FROM outbox WHERE company_id = \(floor.company) AND subject_type = 'deal' ORDER BY seq",
            as: Tenant(company: floor.company))
        #expect(
            try types.map { try $0.get("type", as: String.self) } == [
                "deal.created", "deal.updated", "deal.stage_changed", "deal.stage_changed", "deal.won",
                "deal.stage_changed",
                "deal.reopened",
            ])
    }

    @Test func `a deal is lost for a reason, to somebody`() async throws {
        let floor = try await SalesFloor()
        let client = floor.client
        let reason = try await client.post("/v1/loss-reasons", ["name": "Price"]).expect(201).json.text("id")
        #expect(try await client.post("/v1/loss-reasons", ["name": "price"]).code == "loss-reason-taken")
        let rival = try await client.post("/v1/competitors", ["name": "Brightside"]).expect(201).json.text(
            "id")
        let path = "/v1/deals/\(try await floor.deal("Relaunch"))"
        try await client.put("\(path)/competitors/\(rival)", [:]).expect(204)
        #expect(try await client.post("\(path)/lose", ["reason_id": .string(rival)]).status == 422)
        let lost = try await client.post(
            "\(path)/lose",
            ["reason_id": .string(reason), "competitor_id": .string(rival), "note": "Too dear."]
        ).expect(200).json
        #expect(lost["lost_reason_id"] == .string(reason) && lost["lost_to_id"] == .string(rival), "\(lost)")
        #expect(lost["competitor_ids"] == [.string(rival)] && lost["lost_note"] == "Too dear.", "\(lost)")
        try await client.delete("/v1/loss-reasons/\(reason)").expect(204)
        let reasons = try await client.get("/v1/loss-reasons").expect(200).json["data"]?.arrayValue ?? []
        #expect(
            reasons.count == 1 && reasons[0]["archived_at"] != .null && reasons[0]["deal_count"] == 1,
            "\(reasons)")
        #expect(
            try await client.get("/v1/competitors").expect(200).json["data"]?.arrayValue?.first?[
                "lost_to_count"] == 1)
        let open = try await client.post("\(path)/reopen").expect(200).json
        #expect(open["lost_reason_id"] == .null && open["lost_note"] == .null, "\(open)")
    }

    @Test func `what a stage requires is there before a deal comes, and stays`() async throws {
        let floor = try await SalesFloor()
        let client = floor.client
        try await client.post(
            "/v1/custom-fields", ["kind": "deal", "key": "budget", "name": "Budget", "type": "text"]
        ).expect(201)
        let stage = try floor.stage("Proposal")
        try await client.patch(
            "/v1/pipelines/\(floor.pipeline)/stages/\(stage)",
            ["required_fields": ["amount", "close_on", "client", "budget"]]
        ).expect(200)
        let path = "/v1/deals/\(try await floor.deal("Relaunch"))"
        let refused = try await client.put("\(path)/stage", ["stage_id": .string(stage)])
        #expect(refused.status == 422)
        let pointers = (refused.json["errors"]?.arrayValue ?? []).compactMap { $0["pointer"]?.stringValue }
        #expect(pointers == ["/amount_minor", "/close_on", "/client_id", "/custom/budget"])
        let firm = try await floor.record("clients", "Nordwind GmbH")
        let filled = try await client.changing(
            path,
            [
                "amount_minor": 100, "close_on": "2027-01-01", "client_id": .string(firm),
                "custom": ["budget": "approved"],
            ]
        ).expect(200)
        #expect(filled.json["custom"]?["budget"] == "approved")
        try await client.put("\(path)/stage", ["stage_id": .string(stage)]).expect(200)
        #expect(try await client.changing(path, ["close_on": .null]).status == 422)
        #expect(try await client.changing(path, ["custom": ["budget": .null]]).status == 422)
        #expect(
            try await client.get("/v1/deals?custom[budget]=approved").expect(200).texts("name") == [
                "Relaunch"
            ])
    }

    @Test func `who may not see amounts reads none, and cannot ask by them`() async throws {
        let floor = try await SalesFloor()
        let deal = try await floor.deal("Relaunch", ["amount_minor": 77_700])
        let role = try await floor.world.owner.makeRole("Delivery", [.crmRead, .crmReadAll, .crmWrite])
        let blind = try await floor.world.owner.colleague(roleIds: [role])
        let read = try await blind.client.get("/v1/deals/\(deal)").expect(200)
        #expect(
            read.json["amount_minor"] == .null && read.json["base_minor"] == .null
                && read.json["currency"] == .null)
        for path in [
            "/v1/deals", "/v1/pipelines/\(floor.pipeline)/board", "/v1/deals/\(deal)/history",
            "/v1/pipelines/\(floor.pipeline)/funnel", "/v1/crm/leaderboard",
        ] {
            #expect(try await blind.client.get(path).expect(200).text.contains("77700") == false, "\(path)")
        }
        for path in [
            "/v1/deals?sort=-amount", "/v1/deals?amount[gte]=1", "/v1/forecast", "/v1/forecast.svg",
            "/v1/sales-targets",
            "/v1/deals/\(deal)/line-items",
        ] {
            #expect(try await blind.client.get(path).status == 403, "\(path)")
        }
        #expect(try await blind.client.post("/v1/deals", ["name": "X", "amount_minor": 5]).status == 403)
        #expect(try await blind.client.changing("/v1/deals/\(deal)", ["amount_minor": 5]).status == 403)
        try await blind.client.changing("/v1/deals/\(deal)", ["name": "Relaunched"]).expect(200)
    }

    @Test func `what is another's does not exist for who sees only his own`() async throws {
        let floor = try await SalesFloor()
        let deal = try await floor.deal("The owner's")
        let role = try await floor.world.owner.makeRole("Freelance", [.crmRead, .crmWrite, .crmAmounts])
        let alone = try await floor.world.owner.colleague(roleIds: [role])
        try await floor.deal("His own", by: alone)
        #expect(try await alone.client.get("/v1/deals").expect(200).texts("name") == ["His own"])
        #expect(try await alone.client.get("/v1/deals/\(deal)").status == 404)
        #expect(try await alone.client.post("/v1/deals/\(deal)/win").status == 404)
        #expect(try await alone.client.get("/v1/search?q=owner").text.contains("The owner's") == false)
        let board = try await alone.client.get("/v1/pipelines/\(floor.pipeline)/board").expect(200).json
        #expect(board["columns"]?.arrayValue?.first?["count"] == 1)
        let answer = try await alone.client.post(
            "/v1/deals/bulk", ["deal_ids": [.string(deal)], "set": ["is_archived": true]])
        #expect(answer.json == ["changed": [], "missing": [.string(deal)]])
        let firm = try await floor.record("clients", "Hidden GmbH")
        #expect(
            try await alone.client.post("/v1/deals", ["name": "X", "client_id": .string(firm)]).status == 422)
    }

    @Test func `a hundred hands that put deals in order at once leave one order`() async throws {
        let floor = try await SalesFloor()
        var deals: [String] = []
        for number in 0..<10 { deals.append(try await floor.deal("Deal \(number)")) }
        let (all, stage) = (deals, try floor.stage("New"))
        try await withThrowingTaskGroup(of: Int.self) { group in
            for turn in 0..<100 {
                group.addTask {
                    let (moved, other) = (all[turn % 10], all[(turn * 7 + 3) % 10])
                    if moved == other { return 200 }
                    let side = turn % 2 == 0 ? "before" : "after"
                    return try await floor.client.put(
                        "/v1/deals/\(moved)/stage",
                        side == "before"
                            ? ["stage_id": .string(stage), "before": .string(other)]
                            : ["stage_id": .string(stage), "after": .string(other)]
                    ).status
                }
            }
            for try await status in group { #expect(status == 200) }
        }
        let listed = try await floor.client.get("/v1/deals?stage_id=\(stage)&sort=rank").expect(200)
        #expect(Set(listed.texts("id")) == Set(deals) && Set(listed.texts("rank")).count == 10)
        let ranks = listed.texts("rank")
        #expect(zip(ranks, ranks.dropFirst()).allSatisfy { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        // The board says the same.
        let board = try await floor.client.get("/v1/pipelines/\(floor.pipeline)/board").expect(200).json
        let cards = board["columns"]?.arrayValue?.first?["deals"]?.arrayValue ?? []
        #expect(cards.compactMap { $0["id"]?.stringValue } == listed.texts("id"))
        let first = listed.texts("id")[0]
        let last = listed.texts("id")[9]
        try await floor.client.put(
            "/v1/deals/\(last)/stage", ["stage_id": .string(stage), "before": .string(first)]
        ).expect(200)
        #expect(try await floor.client.get("/v1/deals?stage_id=\(stage)&sort=rank").texts("id").first == last)
    }

    @Test func `lines make the amount, each rounded once`() async throws {
        let floor = try await SalesFloor()
        let client = floor.client
        let product = try await client.post(
            "/v1/products",
            [
                "sku": "DES", "name": "Design", "tax_bp": 1_900,
                "prices": [["currency": "EUR", "unit_price_minor": 333]],
            ]
        ).expect(201).json.text("id")
        #expect(
            try await client.post("/v1/products", ["sku": "des", "name": "Other"]).code == "product-sku-taken"
        )
        let path = "/v1/deals/\(try await floor.deal("Relaunch"))"
        let line = try await client.post(
            "\(path)/line-items",
            ["product_id": .string(product), "quantity_thousandths": 1_500, "discount_bp": 1_000]
        ).expect(201).json
        // 1.5 × 333 × 0.9 = 449.55
        #expect(line["net_minor"] == 450 && line["tax_minor"] == 86 && line["name"] == "Design", "\(line)")
        try await client.post("\(path)/line-items", ["name": "Trip", "unit_price_minor": 1_000]).expect(201)
        #expect(try await client.get(path).json["amount_minor"] == 1_450)
        #expect(try await client.get(path).json["amount_is_of_lines"] == true)
        try await client.patch("\(path)/line-items/\(try line.text("id"))", ["discount_bp": 0]).expect(200)
        #expect(try await client.get(path).json["amount_minor"] == 1_500)
        let typed = try await client.changing(path, ["amount_minor": 9_999]).expect(200).json
        #expect(typed["amount_is_of_lines"] == false)
        try await client.delete("\(path)/line-items/\(try line.text("id"))").expect(204)
        #expect(try await client.get(path).json["amount_minor"] == 9_999)
        #expect(
            try await client.changing(path, ["amount_is_of_lines": true]).expect(200).json["amount_minor"]
                == 1_000)
        try await client.delete("/v1/products/\(product)").expect(204)
    }

    @Test func `another currency counts at the rate of the day, until the deal is won`() async throws {
        let floor = try await SalesFloor()
        let client = floor.client
        let path = "/v1/deals/\(try await floor.deal("Tokyo", ["amount_minor": 10_000, "currency": "JPY"]))"
        #expect(try await client.get(path).json["base_minor"] == .null)
        #expect(try await client.put("/v1/exchange-rates/EUR/2026-01-01", ["rate": "1.5"]).status == 422)
        try await client.put("/v1/exchange-rates/JPY/2026-01-01", ["rate": "0.00625"]).expect(200)
        // ¥10,000 at 0.00625 are € 62.50.
        #expect(try await client.get(path).json["base_minor"] == 6_250)
        try await client.post("\(path)/win").expect(200)
        try await client.put("/v1/exchange-rates/JPY/2026-02-01", ["rate": "0.01"]).expect(200)
        #expect(try await client.get(path).json["base_minor"] == 6_250)
        try await client.post("\(path)/reopen").expect(200)
        #expect(try await client.get(path).json["base_minor"] == 10_000)
        try await client.delete("/v1/exchange-rates/JPY/2026-02-01").expect(204)
        #expect(try await client.get(path).json["base_minor"] == 6_250)
        #expect(try await client.get("/v1/exchange-rates").expect(200).texts("rate") == ["0.00625"])
    }

    @Test func `deals are archived, thrown away, restored, and changed many at once`() async throws {
        let floor = try await SalesFloor()
        let client = floor.client
        let (one, two) = (try await floor.deal("One"), try await floor.deal("Two"))
        try await client.post("/v1/deals/\(one)/archive").expect(200)
        #expect(try await client.get("/v1/deals").texts("name") == ["Two"])
        #expect(try await client.get("/v1/deals?state=archived").texts("name") == ["One"])
        try await client.post("/v1/deals/\(one)/restore").expect(200)
        try await client.delete("/v1/deals/\(one)").expect(204)
        #expect(try await client.get("/v1/deals/\(one)").status == 404)
        #expect(try await client.get("/v1/deals?state=trash").texts("name") == ["One"])
        try await client.post("/v1/deals/\(one)/restore").expect(200)
        #expect(try await client.post("/v1/deals/\(one)/restore").code == "deal-not-in-trash")
        let tag = try await client.post("/v1/tags", ["name": "Key account"]).expect(201).json.text("id")
        let ids: JSON = [.string(one), .string(two)]
        let stage = try floor.stage("Negotiation")
        try await client.post(
            "/v1/deals/bulk",
            [
                "deal_ids": ids,
                "set": [
                    "stage_id": .string(stage), "owner_id": .null, "add_tag_ids": [.string(tag)],
                    "close_on": "2027-03-01",
                ],
            ]
        ).expect(200)
        #expect(
            try await client.get("/v1/deals?owner=none&tag=\(tag)&stage_id=\(stage)&sort=closing").texts(
                "name"
            ).count == 2)
        #expect(try await client.get("/v1/deals?q=tow").texts("name") == [])
        #expect(try await client.get("/v1/deals?q=two").texts("name") == ["Two"])
        try await client.post("/v1/deals/bulk", ["deal_ids": ids, "set": ["is_deleted": true]]).expect(200)
        #expect(try await client.get("/v1/deals").texts("name") == [])
    }

    @Test func `several people have a part in a deal`() async throws {
        let floor = try await SalesFloor()
        let path = "/v1/deals/\(try await floor.deal("Relaunch"))"
        let mara = try await floor.record("contacts", "Mara Lind")
        try await floor.client.post("\(path)/contacts", ["contact_id": .string(mara), "role": "champion"])
            .expect(201)
        let again = try await floor.client.post(
            "\(path)/contacts", ["contact_id": .string(mara), "role": "blocker"]
        ).expect(201)
        #expect(again.json["role"] == "blocker" && again.json["name"] == "Mara Lind")
        #expect(
            try await floor.client.get("/v1/contacts/\(mara)/deals").expect(200).texts("name") == ["Relaunch"]
        )
        #expect(try await floor.client.get("\(path)/contacts").texts("contact_id") == [mara])
        try await floor.client.delete("\(path)/contacts/\(mara)").expect(204)
        #expect(try await floor.client.delete("\(path)/contacts/\(mara)").status == 404)
    }

    @Test func `the owner is told of a deal he is given, and once of one that is stuck or late`() async throws
    {
        let floor = try await SalesFloor()
        let seller = try await floor.world.owner.colleague(.member)
        let member = try await floor.world.owner.memberId(of: seller)
        let deal = try await floor.deal("Relaunch", ["owner_id": .string(member), "close_on": "2026-01-01"])
        let (company, id) = (floor.company, UUID(deal)!)
        _ = try await floor.write { tx in
            try await tx.query(
                """
                UPDATE deals SET stage_entered_at = now() - interval '15 days', close_on = (now() - interval '2 days')::date
                 WHERE company_id = \(company) AND id = \(id)
                """)
        }
        for _ in 0..<2 { try await DealUpkeep.run(company, floor.database) }
        let types = try await eventually {
            let told = try await seller.client.get("/v1/notifications").expect(200).texts("type")
            return told.count >= 3 ? told : nil
        }
        #expect(types.sorted() == ["deal.assigned", "deal.close_date_passed", "deal.stuck"])
    }
}
