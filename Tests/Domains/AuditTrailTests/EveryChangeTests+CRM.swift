/// What the routes of CRM record.
extension EveryChangeTests {
    static let crmActs: [String: String] = [
        // Deals.
        "/v1/exchange-rates": "exchange_rate.", "POST /v1/pipelines": "pipeline.created",
        "PATCH /v1/pipelines": "pipeline.changed", "DELETE /v1/pipelines": "pipeline.deleted",
        "POST /v1/pipelines/{id}/archive": "pipeline.archived", "POST /v1/pipelines/{id}/restore": "pipeline.restored",
        "POST /v1/pipelines/{id}/stages": "pipeline.stage_created",
        "PATCH /v1/pipelines/{id}/stages": "pipeline.stage_changed",
        "DELETE /v1/pipelines/{id}/stages": "pipeline.stage_deleted",
        "PUT /v1/pipelines/{id}/stages/order": "pipeline.stages_ordered", "POST /v1/deals": "deal.created",
        "PATCH /v1/deals": "deal.changed", "DELETE /v1/deals": "deal.deleted",
        "POST /v1/deals/{id}/archive": "deal.archived", "POST /v1/deals/{id}/restore": "deal.restored",
        "PUT /v1/deals/{id}/stage": "deal.stage_changed", "POST /v1/deals/{id}/win": "deal.won",
        "POST /v1/deals/{id}/lose": "deal.lost", "POST /v1/deals/{id}/reopen": "deal.reopened",
        "POST /v1/deals/{id}/contacts": "deal.changed", "DELETE /v1/deals/{id}/contacts": "deal.changed",
        "PUT /v1/deals/{id}/competitors": "deal.changed", "DELETE /v1/deals/{id}/competitors": "deal.changed",
        "POST /v1/deals/{id}/line-items": "deal.lines_changed", "PATCH /v1/deals/{id}/line-items": "deal.lines_changed",
        "DELETE /v1/deals/{id}/line-items": "deal.lines_changed", "POST /v1/products": "product.created",
        "PATCH /v1/products": "product.changed", "DELETE /v1/products": "product.deleted",
        "POST /v1/competitors": "competitor.created", "PATCH /v1/competitors": "competitor.changed",
        "DELETE /v1/competitors": "competitor.deleted", "POST /v1/loss-reasons": "loss_reason.created",
        "PATCH /v1/loss-reasons": "loss_reason.changed", "DELETE /v1/loss-reasons": "loss_reason.deleted",
        "/v1/sales-targets": "sales_target.", "POST /v1/deals/bulk": "deal.",
        // Clients and contacts.
        "/v1/contacts": "contact.", "/v1/clients": "client.", "POST /v1/duplicates/{id}/dismiss": "duplicate.dismissed",
        "POST /v1/duplicates/{id}/merge": "contact.merged", "POST /v1/merges/{id}/undo": "\\(kind.rawValue).merge_undone",
        // Activities.
        "POST /v1/activities": "activity.logged", "PATCH /v1/activities": "activity.changed",
        "DELETE /v1/activities": "activity.deleted", "POST /v1/activities/{id}/complete": "activity.completed",
        "POST /v1/activities/{id}/reopen": "activity.reopened", "POST /v1/activities/{id}/snooze": "activity.snoozed",
        "POST /v1/activities/{id}/restore": "activity.restored", "POST /v1/activities/bulk": "activity.",
        "POST /v1/notes": "activity.logged", "PATCH /v1/notes": "activity.changed", "DELETE /v1/notes": "activity.deleted",
        "PUT /v1/notes/{id}/pin": "note.pinned", "DELETE /v1/notes/{id}/pin": "note.unpinned",
        "/v1/crm/segments": "segment.", "/v1/sequences": "sequence.", "POST /v1/enrolments": "enrolment.",
        "PUT /v1/leads/{id}/tasks": "\\(record.rawValue).\\(what)",
        "PUT /v1/deals/{id}/tasks": "\\(record.rawValue).\\(what)",
        // Leads.
        "POST /v1/lead-sources": "lead_source.created", "PATCH /v1/lead-sources": "lead_source.changed",
        "DELETE /v1/lead-sources": "lead_source.deleted", "/v1/assignment-rules": "assignment_rule.",
        "PUT /v1/lead-availability": "lead_availability.set", "POST /v1/capture-keys": "capture_key.created",
        "DELETE /v1/capture-keys": "capture_key.revoked", "/v1/forms": "form.", "/v1/submissions": "submission.",
        "POST /v1/leads": "lead.created", "PATCH /v1/leads": "lead.changed", "DELETE /v1/leads": "lead.deleted",
        "POST /v1/leads/{id}/restore": "lead.restored", "POST /v1/leads/{id}/convert": "lead.converted",
        "PUT /v1/leads/{id}/status": "lead.changed", "POST /v1/leads/{id}/assign": "lead.assigned",
        "POST /v1/leads/{id}/qualify": "lead.qualified", "POST /v1/leads/{id}/disqualify": "lead.disqualified",
        "POST /v1/leads/{id}/reopen": "lead.reopened", "/v1/scoring-models": "scoring_model.",
        "/v1/sla-policies": "sla_policy.",
    ]

    static let crmExempt: [String: String] = [
        "POST /v1/leads/{id}/convert-preview": "says what would become of a lead, and changes nothing",
        "POST /v1/assignment-rules/test": "says which rule would fit, and changes nothing",
        "POST /v1/crm/segments/preview": "counts, and changes nothing",
        "POST /v1/public/letters": "the reader's own word; it stands in sequence_optouts",
        "POST /v1/p/": "what strangers send is kept as it came; what is made of it is recorded",
    ]
}
