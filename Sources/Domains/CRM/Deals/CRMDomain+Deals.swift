import Core

/// Pipelines, deals on their way through them, and what they are worth.
extension CRMDomain {
    static let dealsPart = CRMPart(
        personalData: [
            .none("pipelines", "the company's own pipelines"),
            .none("stages", "the company's own stages"),
            .none("deals", "what is being sold; people are named by membership"),
            .none("deal_stage_events", "the way of deals, by ids"),
        ])
}
