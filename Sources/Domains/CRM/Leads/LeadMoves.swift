import API
import Core
import Postgres
import Wire

/// A lead on its way: whose it is, and how far it has come.
enum LeadMoves {
    @RouteList static var routes: [Route] {
        PUT("/v1/leads/{id}/status", "Put a lead into another status", .can(.crmWrite), setStatus)
            .operation("setLeadStatus").problems(.leadMoveNotAllowed)
            .describe(
                "new → working → qualified; an open lead may be disqualified, a disqualified one is worked on again. "
                    + "`converted` comes of a conversion alone. Leaving `new` counts as the first answer."
            )
            .example(body: ["status": "working"], answer: LeadExamples.lead)
        POST("/v1/leads/{id}/assign", "Give a lead to somebody", .can(.crmWrite), assign)
            .operation("assignLead").problems(.leadConverted)
            .describe(
                "Without `owner_id` the assignment rules choose; when none of them has anybody it is nobody's."
            )
            .example(body: ["owner_id": LeadExamples.member], answer: LeadExamples.lead)
        POST("/v1/leads/{id}/qualify", "Qualify a lead", .can(.crmWrite), qualify)
            .operation("qualifyLead").problems(.leadMoveNotAllowed).example(answer: LeadExamples.lead)
        POST("/v1/leads/{id}/disqualify", "Disqualify a lead", .can(.crmWrite), disqualify)
            .operation("disqualifyLead").problems(.leadMoveNotAllowed)
            .example(body: ["reason": "No budget this year"], answer: LeadExamples.lead)
        POST("/v1/leads/{id}/reopen", "Work on a disqualified lead again", .can(.crmWrite), reopen)
            .operation("reopenLead").problems(.leadMoveNotAllowed).example(answer: LeadExamples.lead)
        POST("/v1/leads/bulk", "Change many leads at once", .can(.crmWrite), LeadBulk.change)
            .operation("changeLeads").problems(.leadMoveNotAllowed, .leadConverted)
            .describe(
                "Up to \(LeadLimits.bulkMax) leads, each for itself: the answer says of each what became of it. Exactly one "
                    + "action."
            )
            .example(body: [
                "lead_ids": [LeadExamples.id], "action": "assign", "owner_id": LeadExamples.member,
            ])
    }

    struct StatusOrder: Codable, Sendable {
        let status: LeadStatus
        let reason: Prose<2_000>?
    }

    @inline(never)
    static func setStatus(_ call: Call, _ id: Path<UUID>, _ body: Body<StatusOrder>) async throws -> Single<
        Lead
    > {
        try await move(call, id.value, to: body.status, reason: body.reason?.text, honoursVersion: true)
    }

    @inline(never)
    static func qualify(_ call: Call, _ id: Path<UUID>) async throws -> Single<Lead> {
        try await move(call, id.value, to: .qualified)
    }

    struct Disqualification: Codable, Sendable {
        let reason: Prose<2_000>
    }

    @inline(never)
    static func disqualify(_ call: Call, _ id: Path<UUID>, _ body: Body<Disqualification>) async throws
        -> Single<Lead>
    {
        try await move(call, id.value, to: .disqualified, reason: body.reason.text)
    }

    @inline(never)
    static func reopen(_ call: Call, _ id: Path<UUID>) async throws -> Single<Lead> {
        try await call.db.transaction { tx in
            try await CRMAccess.require(.lead, id.value, call, tx)
            try await set(
                .working, on: id.value, reason: nil, onlyFrom: .disqualified, by: call.actor,
                try call.company, tx)
        }
        return try await Leads.read(call, id)
    }

    @inline(never)
    private static func move(
        _ call: Call, _ id: UUID, to status: LeadStatus, reason: String? = nil, honoursVersion: Bool = false
    ) async throws -> Single<Lead> {
        try await call.db.transaction { tx in
            try await CRMAccess.require(.lead, id, call, tx)
            let company = try call.company
            try await set(status, on: id, reason: reason, by: call.actor, company, tx) { version in
                if honoursVersion { try call.requireVersion(version) }
            }
        }
        return try await Leads.read(call, Path(id))
    }

    /// Asking for the status it has changes nothing.
    @inline(never)
    static func set(
        _ status: LeadStatus, on id: UUID, reason: String?, onlyFrom: LeadStatus? = nil,
        by actor: Audit.Actor, _ company: UUID, _ tx: Transaction,
        checking: (_ version: Int64) throws -> Void = { _ in }
    ) async throws {
        let head = try await LeadHead.lock(id, company, tx)
        try checking(head.version)
        if head.status == status && onlyFrom == nil { return }
        guard head.status.mayBecome(status), onlyFrom == nil || onlyFrom == head.status else {
            throw Problem(
                .leadMoveNotAllowed, "It is \(head.status.rawValue), and cannot become \(status.rawValue) so."
            )
            .with("lead_status", .string(head.status.rawValue))
        }
        if status == .disqualified, reason?.isEmpty ?? true {
            throw Problem.unprocessable("/reason", "required", "says why it is not worth more work")
        }
        _ = try await tx.query(
            """
            UPDATE leads SET status = \(status), disqualified_at = CASE WHEN \(status == .disqualified) THEN now() END,
                   disqualified_for = \(status == .disqualified ? reason : nil)::text,
                   first_response_at = coalesce(first_response_at, now()), version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = \(id)
            """)
        if status == .qualified {
            try await ContactWriting.setLifecycle(
                head.contactId, .qualified, onlyForward: true, by: actor, company: company, in: tx)
        }
        let (event, action) =
            switch status {
            case .qualified: (LeadEvents.qualified, "lead.qualified")
            case .disqualified: (LeadEvents.disqualified, "lead.disqualified")
            case .working where head.status == .disqualified: (LeadEvents.reopened, "lead.reopened")
            case .new, .working, .converted: (LeadEvents.updated, "lead.changed")
            }
        try await tell(
            id, event, action, changed: ["status"], before: ["status": .string(head.status.rawValue)],
            after: ["status": .string(status.rawValue)], by: actor, company, tx)
    }

    struct Assignment: Codable, Sendable {
        let ownerId: UUID?
    }

    static func assign(_ call: Call, _ id: Path<UUID>, _ body: Body<Assignment>) async throws -> Single<Lead>
    {
        let owner = body.ownerId
        try await call.db.transaction { tx in
            try await CRMAccess.require(.lead, id.value, call, tx)
            try await give(id.value, to: owner, by: call.actor, try call.company, tx)
        }
        return try await shown(call, id)
    }

    /// Whoever gives a lead away may not see it any more; he is told how it left him.
    @inline(never)
    private static func shown(_ call: Call, _ id: Path<UUID>) async throws -> Single<Lead> {
        let rows = try await LeadRows.one(id.value, call, evenIfHidden: true)
        return try Single(rows, versionIsWhole: false)
    }

    @inline(never)
    static func give(_ id: UUID, to owner: UUID?, by actor: Audit.Actor, _ company: UUID, _ tx: Transaction)
        async throws
    {
        let head = try await LeadHead.lock(id, company, tx)
        if head.status == .converted { throw Problem(.leadConverted) }
        if let owner {
            if owner == head.ownerId { return }
            try await LeadChecks.all(owner: owner, source: nil, company, tx)
            _ = try await tx.query(
                """
                UPDATE leads SET owner_id = \(owner), rule_id = NULL, assigned_at = now(), version = version + 1,
                       updated_at = now()
                 WHERE company_id = \(company) AND id = \(id)
                """)
        } else {
            _ = try await tx.query(
                """
                UPDATE leads SET owner_id = NULL, rule_id = NULL, assigned_at = NULL, version = version + 1, updated_at = now()
                 WHERE company_id = \(company) AND id = \(id)
                """)
            _ = try await LeadAssignment.assign(id, company, tx)
        }
        try await tell(
            id, LeadEvents.updated, "lead.changed", changed: ["owner_id"],
            before: ["owner_id": head.ownerId.map { .string($0.description) } ?? .null], isAssigned: true,
            by: actor, company, tx)
    }

    /// What follows from any change of a lead: its score, its promise, the record, the events, and news for a new owner.
    @inline(never)
    static func tell(
        _ id: UUID, _ event: EventType<LeadEvents.Data>, _ action: String, changed: [String],
        before: JSON? = nil,
        after: JSON? = nil, isAssigned: Bool = false, by actor: Audit.Actor, _ company: UUID,
        _ tx: Transaction
    ) async throws {
        if isAssigned { try await LeadPromise.make(for: id, company, tx) }
        try await LeadScoring.refresh([id], company, tx)
        let head = try await LeadHead.lock(id, company, tx)
        let told = after ?? ["changed": .array(changed.map(JSON.string))]
        var statements = try LeadEvents.story(
            event, action, head, changed: changed, before: before, after: told, by: actor, company)
        if isAssigned, head.ownerId != nil {
            statements += try LeadEvents.story(LeadEvents.assigned, "lead.assigned", head, by: actor, company)
            statements.append(LeadUpkeep.expect(company))
        }
        _ = try await tx.batch(statements)
        if isAssigned, let owner = head.ownerId {
            try await LeadWriting.tellOwner(owner, head, by: actor, company, tx)
        }
    }
}
