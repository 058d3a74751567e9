import API

/// All routes of pipelines and deals.
enum DealRoutes {
    static var all: [Route] {
        Pipelines.routes
            + Stages.routes
            + Deals.routes
            + DealStages.routes
            + DealTrash.routes
            + DealLines.routes
            + DealContacts.routes
            + Competitors.routes
            + LossReasons.routes
            + Products.routes
            + ExchangeRates.routes
            + PipelineBoard.routes
            + DealBulk.routes
            + SalesTargets.routes
            + CRMReports.routes
    }
}
