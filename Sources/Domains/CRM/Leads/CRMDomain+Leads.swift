import Core

/// Leads: captured, assigned, scored and converted.
extension CRMDomain {
    static let leadsPart = CRMPart(
        personalData: [
            .none("lead_sources", "the company's own names of where leads come from"),
            .none("leads", "interests of people who have no account here"),
            .none("lead_conversions", "what leads became, by ids"),
        ])
}
