import API

extension ProblemCode {
    static let leadSourceNameTaken = ProblemCode(
        "lead-source-name-taken", 409, "There is a lead source of that name",
        advice: "Choose another name, or use it.")
    static let leadSourceInUse = ProblemCode(
        "lead-source-in-use", 409, "Something still names this lead source", advice: "Archive it instead.")
    static let tooManyLeadSources = ProblemCode(
        "too-many-lead-sources", 409, "A company has no more than \(LeadLimits.sourcesMax) lead sources",
        advice: "Delete one that nothing names.")
    static let leadMoveNotAllowed = ProblemCode(
        "lead-move-not-allowed", 409, "A lead cannot go from its status to that one",
        advice:
            "The detail names both. A closed lead is reopened first; only a conversion makes one converted.")
    static let leadConverted = ProblemCode(
        "lead-converted", 409, "The lead has been converted", advice: "Work on with the deal it has become.")
    static let leadNotInTrash = ProblemCode(
        "lead-not-in-trash", 409, "The lead is not in the trash",
        advice: "It has never been deleted, or its \(LeadLimits.trashDays) days are over.")
    static let leadExternalIdTaken = ProblemCode(
        "lead-external-id-taken", 409, "Another lead has this external id",
        advice: "Use POST /v1/leads/upsert to change the one there is; it may lie in the trash.")
    static let assignmentRuleNameTaken = ProblemCode(
        "assignment-rule-name-taken", 409, "There is an assignment rule of that name",
        advice: "Choose another name.")
    static let tooManyAssignmentRules = ProblemCode(
        "too-many-assignment-rules", 409,
        "A company has no more than \(LeadLimits.rulesMax) assignment rules",
        advice: "Delete one.")
    static let slaPolicyNameTaken = ProblemCode(
        "sla-policy-name-taken", 409, "There is a policy of that name", advice: "Choose another name.")
    static let tooManySLAPolicies = ProblemCode(
        "too-many-sla-policies", 409,
        "A company has no more than \(LeadLimits.policiesMax) response policies",
        advice: "Delete one.")
    static let scoringModelNameTaken = ProblemCode(
        "scoring-model-name-taken", 409, "There is a scoring model of that name",
        advice: "Choose another name.")
    static let tooManyScoringModels = ProblemCode(
        "too-many-scoring-models", 409, "A company has no more than \(LeadLimits.modelsMax) scoring models",
        advice: "Delete one.")
    static let formNameTaken = ProblemCode(
        "form-name-taken", 409, "There is a form of that name", advice: "Choose another name.")
    static let tooManyForms = ProblemCode(
        "too-many-forms", 409, "A company has no more than \(LeadLimits.formsMax) forms",
        advice: "Delete one.")
    static let formHasSubmissions = ProblemCode(
        "form-has-submissions", 409, "The form has submissions",
        advice: "Unpublish it instead: what came in stays.")
    static let tooManyCaptureKeys = ProblemCode(
        "too-many-capture-keys", 409, "A company has no more than \(LeadLimits.captureKeysMax) capture keys",
        advice: "Revoked keys count too; reuse one.")
    static let originNotAllowed = ProblemCode(
        "origin-not-allowed", 403, "This page may not send the form",
        advice: "Add the page's origin to the form's `allowed_origins`.")
    static let proofRequired = ProblemCode(
        "proof-required", 422, "The form asks for a proof of work",
        advice: "Read the form, find a nonce for its challenge, and send both as `_challenge` and `_nonce`.")
    static let proofRefused = ProblemCode(
        "proof-refused", 422, "The proof of work does not hold",
        advice: "It has expired, was used before, or is too weak: read the form again for a new challenge.")
    static let submissionSettled = ProblemCode(
        "submission-settled", 409, "The submission has been processed",
        advice: "Only what is held, spam, or failed is processed again.")
    static let unknownConfirmation = ProblemCode(
        "unknown-confirmation", 404, "This link confirms nothing",
        advice: "It was used up or is too old; send the form again.")

    static let ofLeads: [ProblemCode] = [
        leadSourceNameTaken, leadSourceInUse, tooManyLeadSources, leadMoveNotAllowed, leadConverted,
        leadNotInTrash,
        leadExternalIdTaken, assignmentRuleNameTaken, tooManyAssignmentRules, slaPolicyNameTaken,
        tooManySLAPolicies,
        scoringModelNameTaken, tooManyScoringModels, formNameTaken, tooManyForms, formHasSubmissions,
        tooManyCaptureKeys,
        originNotAllowed, proofRequired, proofRefused, submissionSettled, unknownConfirmation,
    ]
}

extension ConstraintProblem {
    static let ofLeads: [ConstraintProblem] = [
        ConstraintProblem("lead_sources_name_key", .leadSourceNameTaken, pointer: "/name"),
        ConstraintProblem("leads_source_fkey", .leadSourceInUse),
        ConstraintProblem("touches_source_fkey", .leadSourceInUse),
        ConstraintProblem("forms_source_fkey", .leadSourceInUse),
        ConstraintProblem("capture_keys_source_fkey", .leadSourceInUse),
        ConstraintProblem("leads_external_id_key", .leadExternalIdTaken, pointer: "/external_id"),
        ConstraintProblem("assignment_rules_name_key", .assignmentRuleNameTaken, pointer: "/name"),
        ConstraintProblem("sla_policies_name_key", .slaPolicyNameTaken, pointer: "/name"),
        ConstraintProblem("scoring_models_name_key", .scoringModelNameTaken, pointer: "/name"),
        ConstraintProblem("forms_name_key", .formNameTaken, pointer: "/name"),
        ConstraintProblem("submissions_form_fkey", .formHasSubmissions),
    ]
}
