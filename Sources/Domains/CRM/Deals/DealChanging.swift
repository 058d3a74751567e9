import API
import Core
import Postgres
import Wire

extension DealWriting {
    /// What is to change of a deal; what is nil stays.
    struct Change: Sendable {
        var name: String?
        var client: UUID??
        var contact: UUID??
        var owner: UUID??
        var source: UUID??
        var amount: Int64??
        var currency: String?
        var amountIsOfLines: Bool?
        var probability: Int??
        var closeOn: LocalDate??
        var description: String??
        /// Checked already; null of a key empties it.
        var custom: JSON?
        var tags: [UUID]?

        var isAboutMoney: Bool { amount != nil || currency != nil || amountIsOfLines != nil }
    }

    @inline(never)
    static func change(
        _ id: UUID, _ change: Change, by actor: Audit.Actor, company: UUID, in tx: Transaction,
        check: (DealSnapshot) throws -> Void = { _ in }
    ) async throws {
        let found = try await DealSnapshot.lock([id], company, tx)
        guard let deal = found.first, !deal.isDeleted else { throw Problem.notFound }
        try check(deal)
        if change.isAboutMoney, deal.kind != .open { throw Problem(.dealClosed) }
        try await DealChecks.check(
            clients: [change.client ?? nil].compactMap { $0 },
            contacts: [change.contact ?? nil].compactMap { $0 },
            owners: [change.owner ?? nil].compactMap { $0 },
            sources: [change.source ?? nil].compactMap { $0 }, company, tx)
        if let tags = change.tags { try await Tags.mustExist(tags, at: "/tag_ids", company: company, in: tx) }
        try await keepsRequired(deal, change, company, tx)
        let assignments = try await assignments(of: change, on: deal, company, tx)
        var statements: [SQL] = [
            "UPDATE deals SET \(fragment: assignments.sql) WHERE company_id = \(company) AND id = \(id)"
        ]
        if change.amountIsOfLines == true { statements.append(DealLines.sum(of: id, company)) }
        if change.isAboutMoney {
            statements.append(DealWorth.revalue("d.id = \(id)", at: "now()", company: company))
        }
        if let tags = change.tags { statements += Self.tags.replace(with: tags, on: id, company: company) }
        if change.name != nil || change.description != nil {
            let text = DealSearch.text(change.name ?? deal.name, change.description ?? deal.description)
            statements += Search.put("deal", id, text, company: company)
        }
        statements += try story(of: change, on: deal, by: actor, company)
        _ = try await tx.batch(statements)
        if let owner = change.owner, let owner, owner != deal.ownerId {
            try await DealNews.tellOwners([(id, change.name ?? deal.name, owner)], by: actor, company, tx)
        }
    }

    /// What the deal's stage requires is not taken away again.
    @inline(never)
    private static func keepsRequired(
        _ deal: DealSnapshot, _ change: Change, _ company: UUID, _ tx: Transaction
    ) async throws {
        let emptied = (change.custom?.objectValue?.members ?? []).contains { $0.value.isNull }
        let clears =
            change.client == .some(nil) || change.contact == .some(nil) || change.amount == .some(nil)
            || change.closeOn == .some(nil) || emptied
        if !clears { return }
        let rows = try await tx.query(
            "SELECT name, required_fields FROM stages WHERE company_id = \(company) AND id = \(deal.stageId)")
        let place = DealStage(
            id: deal.stageId, pipeline: deal.pipelineId, name: try rows[0].get("name"), kind: deal.kind,
            requiredFields: try rows[0].get("required_fields", as: [String].self), lastRank: nil)
        // What was missing before is no fault of this change.
        let faults = place.missing(
            amount: change.amount != .some(nil), closing: change.closeOn != .some(nil),
            contact: change.contact != .some(nil),
            client: change.client != .some(nil),
            custom: remaining(of: place.requiredFields, after: change.custom))
        if !faults.isEmpty { throw Problem.unprocessable(faults) }
    }

    /// The fields that a change does not empty, as if all had been there.
    private static func remaining(of fields: [String], after change: JSON?) -> JSON {
        var object = JSON.Object()
        for field in fields where change?[field] != .some(.null) { object[field] = true }
        return .object(object)
    }

    @inline(never)
    private static func assignments(
        of change: Change, on deal: DealSnapshot, _ company: UUID, _ tx: Transaction
    ) async throws -> Changes {
        var changes = Changes()
        changes.set("name", change.name)
        changes.set("client_id", change.client)
        changes.set("contact_id", change.contact)
        changes.set("owner_id", change.owner)
        changes.set("source_id", change.source)
        changes.set("probability_bp", change.probability)
        changes.set("close_on", change.closeOn)
        changes.set("description", change.description)
        if let custom = change.custom {
            changes.set("custom", to: "jsonb_strip_nulls(custom || \(JSONText(custom))::jsonb)")
        }
        if let isOfLines = change.amountIsOfLines { changes.set("amount_is_of_lines", isOfLines) }
        if let amount = change.amount {
            changes.set("amount_minor", .some(amount))
            changes.set("amount_is_of_lines", false)
        }
        if change.amount != nil || change.currency != nil {
            let amount = change.amount ?? deal.amountMinor
            var currency = change.currency ?? deal.currency
            if amount != nil, currency == nil {
                let rows = try await tx.query("SELECT currency FROM companies WHERE id = \(company)")
                currency = try rows[0].get("currency")
            }
            changes.set("currency", .some(amount == nil ? nil : currency))
        }
        return changes
    }

    private static func story(
        of change: Change, on deal: DealSnapshot, by actor: Audit.Actor, _ company: UUID
    ) throws -> [SQL] {
        var old = JSON.Object()
        var new = JSON.Object()
        func note(_ name: String, _ before: JSON, _ after: JSON?) {
            guard let after, after != before else { return }
            old[name] = before
            new[name] = after
        }
        note("name", .string(deal.name), change.name.map(JSON.string))
        note("client_id", .id(deal.clientId), change.client.map { .id($0) })
        note("contact_id", .id(deal.contactId), change.contact.map { .id($0) })
        note("owner_id", .id(deal.ownerId), change.owner.map { .id($0) })
        note(
            "close_on", .optional(deal.closeOn?.description),
            change.closeOn.map { .optional($0?.description) })
        note(
            "amount_minor", deal.amountMinor.map { JSON($0) } ?? .null,
            change.amount.map { $0.map { JSON($0) } ?? .null })
        note("currency", .optional(deal.currency), change.currency.map(JSON.string))
        var names = new.members.map(\.key)
        if change.source != nil { names.append("source_id") }
        if change.probability != nil { names.append("probability_bp") }
        if change.description != nil { names.append("description") }
        if change.tags != nil { names.append("tag_ids") }
        if change.amountIsOfLines != nil { names.append("amount_is_of_lines") }
        names += (change.custom?.objectValue?.members ?? []).map { "custom.\($0.key)" }
        new["changed"] = .array(names.map(JSON.string))
        let data = DealEvents.UpdateData(dealId: deal.id, name: change.name ?? deal.name, changed: names)
        return [
            Audit.sql(
                Audit.Entry("deal.changed", on: "deal", deal.id, before: .object(old), after: .object(new)),
                by: actor,
                company: company),
            try Events.sql(DealEvents.updated, data, on: "deal", deal.id, by: actor, company: company),
        ]
    }
}
