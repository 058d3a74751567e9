import Core

/// Calls, meetings, notes and the timeline of everything that happened with somebody.
extension CRMDomain {
    static let activitiesPart = CRMPart()
}
