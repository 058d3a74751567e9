import API
import Core
import Postgres

/// Leads: captured, assigned, scored and converted.
extension CRMDomain {
    static let leadsPart = CRMPart(
        routes: LeadSources.routes + Leads.routes + LeadMoves.routes + LeadConversion.routes + Forms.routes
            + PublicForms.routes + CaptureKeys.routes + Submissions.routes + AssignmentRules.routes
            + SLAPolicies.routes
            + ScoringModels.routes + Touches.routes,
        problems: ProblemCode.ofLeads,
        constraints: ConstraintProblem.ofLeads,
        workers: [LeadUpkeep.worker],
        personalData: leadsPersonalData,
        retention: [
            RetentionClass(
                "lead_trash", "Leads in the trash, counted from their deletion", table: "leads",
                since: "deleted_at",
                only: "t.deleted_at IS NOT NULL", days: LeadLimits.trashDays, isSweptElsewhere: true),
            RetentionClass(
                "form_challenges", "Proofs of work that were used", table: "form_challenges",
                since: "used_at", days: 1),
            RetentionClass(
                "spam_submissions", "Submissions that are spam", table: "submissions", since: "received_at",
                only: "t.state = 'spam'", days: 30, within: 7...365),
        ],
        notifications: LeadNews.all,
        watchables: [
            Watchable("lead", .crmRead) { id, company in
                "SELECT 1 FROM leads l WHERE l.company_id = \(company) AND l.id = \(id) AND l.deleted_at IS NULL"
            }
        ],
        jobs: [SubmissionWork.handler, ScoringModels.handler, LeadUpkeep.handler],
        crons: [Cron("crm.decay-scores", "30 2 * * *", LeadUpkeep.decay, .init())],
        events: LeadEvents.all,
        subjects: [leadSubject],
        imports: [leadImport],
        exports: [leadExport],
        reactions: LeadReactions.all,
        erasures: [LeadsErasure.erase])

    private static let leadsPersonalData: [PersonalData] = [
        .none("lead_sources", "the company's own names of where leads come from"),
        .none("lead_tags", "which lead carries which tag"),
        .none("lead_conversions", "what leads became, by ids"),
        .none("lead_points", "scores, by ids"),
        .none("assignment_rules", "the company's own rules"),
        .none("assignment_members", "who takes part in rules, by membership"),
        .none("lead_availability", "when members may be given leads, by membership"),
        .none("sla_policies", "the company's own promises"),
        .none("sla_breaches", "promises that were broken, by ids"),
        .none("scoring_models", "the company's own ratings"),
        .none("scoring_rules", "the company's own ratings"),
        .none("lead_upkeep", "when something is next due in a company's leads"),
        .none("forms", "the company's own forms", hiding: ["token"]),
        .none("capture_keys", "keys of the company's own servers, as digests", hiding: ["key_sha256"]),
        .none("form_challenges", "proofs of work that were used, as digests"),
        PersonalData(
            "submissions", "What somebody sent by forms", of: .email("email_norm"),
            hiding: ["repeat_key", "confirm_sha256"],
            erase: .blank(
                "raw = '{}', email_norm = NULL, address = NULL, user_agent = NULL, origin = NULL, confirm_sha256 = NULL"
            )),
        PersonalData(
            "touches", "The ways by which somebody came", of: .rows { knownBy($0) },
            erase: .blank("page = NULL, referrer = NULL, utm = '{}'")),
        PersonalData(
            "leads", "What somebody was interested in", of: .rows { knownBy($0) },
            erase: .blank(
                """
                title = 'Erased', message = NULL, client_name = NULL, external_id = NULL, utm = '{}', custom = '{}',
                disqualified_for = NULL
                """)),
    ]

    /// Of the contact who is known by the address.
    @Sendable private static func knownBy(_ subject: PersonalData.Subject) -> SQL? {
        subject.email.map { email in
            """
            t.contact_id IN (SELECT i.contact_id FROM contact_identities i
                              WHERE i.company_id = t.company_id AND i.kind = 'email' AND i.value_norm = \(email))
            """
        }
    }
}
