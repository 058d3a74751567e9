import Core

/// Pipelines, deals on their way through them, and what they are worth.
extension CRMDomain {
    static let dealsPart = CRMPart(
        routes: DealRoutes.all,
        problems: dealProblems,
        constraints: dealConstraints,
        workers: [DealUpkeep.worker],
        personalData: [
            .none("pipelines", "the company's own pipelines"),
            .none("stages", "the company's own stages"),
            .none("deals", "what is being sold; people are named by membership"),
            .none("deal_stage_events", "the way of deals, by ids"),
            .none("exchange_rates", "what currencies are worth"),
            .none("loss_reasons", "the company's own reasons"),
            .none("competitors", "other companies"),
            .none("products", "what the company sells"),
            .none("product_prices", "what it costs"),
            .none("deal_lines", "what is being sold"),
            .none("deal_contacts", "who has to do with a deal, by ids"),
            .none("deal_competitors", "who else wants a deal"),
            .none("deal_tags", "tags of deals"),
            .none("sales_targets", "what is to be sold, by membership"),
            .none("deal_upkeep", "when something is next due in a company's deals"),
        ],
        notifications: DealNews.all,
        watchables: DealNews.watchables,
        events: DealEvents.all,
        handovers: [dealHandover],
        subjects: [dealSubject],
        exports: [dealExport],
        calendarSources: [dealCalendar],
        erasures: [DealsErasure.erase])
}
