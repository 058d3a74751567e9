import Core

/// Segments of contacts, and sequences that reach them.
extension CRMDomain {
    static let reachPart = CRMPart()
}
