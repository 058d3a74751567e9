import API

extension ProblemCode {
    static let pipelineNameTaken = ProblemCode(
        "pipeline-name-taken", 409, "Another pipeline has this name", advice: "Choose another name.")
    static let pipelineIsDefault = ProblemCode(
        "pipeline-is-default", 409, "Deals go into this pipeline when none is named",
        advice: "Make another pipeline the default first.")
    static let pipelineInUse = ProblemCode(
        "pipeline-in-use", 409, "There are deals in this pipeline",
        advice: "Archive it, or move its deals first.")
    static let tooManyPipelines = ProblemCode(
        "too-many-pipelines", 409, "The company has as many pipelines as it may", advice: "Delete one first.")
    static let stageNameTaken = ProblemCode(
        "stage-name-taken", 409, "Another stage of the pipeline has this name", advice: "Choose another name."
    )
    static let stageInUse = ProblemCode(
        "stage-in-use", 409, "Deals are in this stage, or have been",
        advice: "Say with `move_to` where its deals go; what a used stage means does not change.")
    static let stageIsNeeded = ProblemCode(
        "stage-is-needed", 409, "A pipeline has an open stage, one for won and one for lost deals",
        advice: "Make another of its kind first.")
    static let tooManyStages = ProblemCode(
        "too-many-stages", 409, "The pipeline has as many stages as it may", advice: "Delete one first.")
    static let dealClosed = ProblemCode(
        "deal-closed", 409, "The deal is won or lost", advice: "Reopen it first: POST /v1/deals/{id}/reopen.")
    static let dealOpen = ProblemCode(
        "deal-open", 409, "The deal is open", advice: "There is nothing to reopen.")
    static let dealNotInTrash = ProblemCode(
        "deal-not-in-trash", 409, "The deal is not in the trash", advice: "There is nothing to restore.")
    static let leadHasDeal = ProblemCode(
        "lead-has-deal", 409, "This lead has become a deal already", advice: "Look at the lead for the deal.")
    static let lossReasonTaken = ProblemCode(
        "loss-reason-taken", 409, "This reason is there already", advice: "Choose another name.")
    static let tooManyLossReasons = ProblemCode(
        "too-many-loss-reasons", 409, "The company has as many reasons as it may", advice: "Delete one first."
    )
    static let competitorTaken = ProblemCode(
        "competitor-taken", 409, "This competitor is there already", advice: "Choose another name.")
    static let tooManyCompetitors = ProblemCode(
        "too-many-competitors", 409, "The company has as many competitors as it may",
        advice: "Delete one first.")
    static let productSKUTaken = ProblemCode(
        "product-sku-taken", 409, "Another product has this SKU",
        advice: "Choose another SKU, or change that product.")
    static let tooManyProducts = ProblemCode(
        "too-many-products", 409, "The company has as many products as it may", advice: "Delete one first.")
    static let tooManyDealParts = ProblemCode(
        "too-many-deal-parts", 409, "The deal has as many of these as it may", advice: "Take one away first.")
    static let salesTargetTaken = ProblemCode(
        "sales-target-taken", 409, "There is a target for this already", advice: "Change that one.")
    static let tooManySalesTargets = ProblemCode(
        "too-many-sales-targets", 409, "The company has as many targets as it may",
        advice: "Delete old ones first.")
}

extension CRMDomain {
    static let dealProblems: [ProblemCode] = [
        .pipelineNameTaken, .pipelineIsDefault, .pipelineInUse, .tooManyPipelines, .stageNameTaken,
        .stageInUse,
        .stageIsNeeded, .tooManyStages, .dealClosed, .dealOpen, .dealNotInTrash, .leadHasDeal,
        .lossReasonTaken,
        .tooManyLossReasons, .competitorTaken, .tooManyCompetitors, .productSKUTaken, .tooManyProducts,
        .tooManyDealParts, .salesTargetTaken, .tooManySalesTargets,
    ]

    static let dealConstraints: [ConstraintProblem] = [
        ConstraintProblem("pipelines_name_key", .pipelineNameTaken, pointer: "/name"),
        ConstraintProblem(
            "pipelines_default_key", .conflict,
            detail: "Another pipeline became the default at the same moment."),
        ConstraintProblem("stages_name_key", .stageNameTaken, pointer: "/name"),
        ConstraintProblem("deals_lead_key", .leadHasDeal, pointer: "/lead_id"),
        ConstraintProblem("loss_reasons_name_key", .lossReasonTaken, pointer: "/name"),
        ConstraintProblem("competitors_name_key", .competitorTaken, pointer: "/name"),
        ConstraintProblem("products_sku_key", .productSKUTaken, pointer: "/sku"),
        ConstraintProblem("sales_targets_key", .salesTargetTaken),
    ]
}
