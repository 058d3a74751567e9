import Core

/// Clients, contacts, and how two of them become one.
extension CRMDomain {
    static let clientsPart = CRMPart(
        personalData: [
            .none("clients", "companies that are clients; people are named by membership"),
            .none("contacts", "people at clients, who have no account here"),
            .none("contact_identities", "addresses and numbers of people who have no account here"),
            .none("contact_clients", "who is at which client"),
        ])
}
