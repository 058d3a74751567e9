import API
import Core

/// Clients, contacts, and how two of them become one.
extension CRMDomain {
    static let contactTags = Tagging(table: "contact_tags", column: "contact_id")
    static let clientTags = Tagging(table: "client_tags", column: "client_id")

    static let clientsPart = CRMPart(
        problems: [
            .contactKnown, .contactInTrash, .clientKnown, .unknownOwner, .relationExists, .relationCircle, .tooManyParts,
            .recordFileAttached, .notInTrash, .alreadyMerged, .mergeUndone, .mergeTooOld, .duplicateDecided,
        ],
        constraints: [
            ConstraintProblem("contact_identities_value_key", .contactKnown),
            ConstraintProblem("clients_domain_key", .clientKnown),
            ConstraintProblem("clients_owner_fkey", .unknownOwner, pointer: "/owner_id"),
            ConstraintProblem("contacts_owner_fkey", .unknownOwner, pointer: "/owner_id"),
            ConstraintProblem("client_relations_once", .relationExists),
            ConstraintProblem("client_relations_mutual_once", .relationExists),
            ConstraintProblem("crm_attachments_once", .recordFileAttached),
        ],
        personalData: clientsPersonalData,
        events: ContactEvents.all + ClientEvents.all)

    static let clientsPersonalData: [PersonalData] = [
        .none("clients", "companies that are clients; people are named by membership"),
        .none("contacts", "people at clients, who have no account here"),
        .none("contact_identities", "addresses and numbers of people who have no account here"),
        .none("contact_clients", "who is at which client"),
        .none("crm_addresses", "postal addresses of clients and contacts"),
        .none("crm_attachments", "files of clients and contacts"),
        .none("client_tags", "which client carries which tag"),
        .none("contact_tags", "which contact carries which tag"),
        .none("client_relations", "how clients stand to each other"),
        .none("contact_consents", "what contacts have allowed"),
        .none("duplicates", "pairs of records that may be one"),
        .none("merges", "how two records became one"),
        .none("contact_upkeep", "when a company's contacts are next looked at"),
    ]
}
