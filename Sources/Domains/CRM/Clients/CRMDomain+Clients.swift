import API
import Core
import Postgres

/// Clients, contacts, and how two of them become one.
extension CRMDomain {
    static let contactTags = Tagging(table: "contact_tags", column: "contact_id")
    static let clientTags = Tagging(table: "client_tags", column: "client_id")

    static let clientsPart = CRMPart(
        routes: Clients.routes + Contacts.routes + RecordLife.routes + Merges.routes + Similar.routes
            + Duplicates.routes + ContactParts.routes + ContactConsents.routes + ContactErasure.routes
            + RecordBulk.routes + ClientRelations.routes + RecordAddresses.routes,
        problems: [
            .contactKnown, .contactInTrash, .clientKnown, .unknownOwner, .relationExists, .relationCircle,
            .tooManyParts,
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
        workers: [ContactUpkeep.worker],
        personalData: clientsPersonalData,
        events: ContactEvents.all + ClientEvents.all, subjects: [contactSubject, clientSubject],
        imports: [ContactImport.kind, ClientImport.kind], exports: [contactExport, clientExport])

    static let clientsPersonalData: [PersonalData] = [
        .none("clients", "companies that are clients; people are named by membership"),
        .none("contact_clients", "who is at which client, by their ids"),
        .none("crm_attachments", "which file hangs on which client or contact"),
        .none("client_tags", "which client carries which tag"),
        .none("contact_tags", "which contact carries which tag"),
        .none("client_relations", "how clients stand to each other"),
        .none("duplicates", "pairs of records that may be one, by their ids"),
        .none("contact_upkeep", "when a company's contacts are next looked at"),
        PersonalData(
            "crm_addresses", "Postal addresses of a contact",
            of: .rows(ContactErasure.isTheirs("contact_id")), erase: .delete),
        PersonalData(
            "contact_consents", "What a contact has allowed",
            of: .rows(ContactErasure.isTheirs("contact_id")),
            erase: .blank("note = NULL, source = 'erased'")),
        PersonalData(
            "merges", "What a contact was before it was merged",
            of: .rows(ContactErasure.isTheirs("survivor_contact")),
            erase: .blank("before = '{}', given = '{}'")),
        PersonalData(
            "contacts", "Who somebody is at a client", of: .rows(ContactErasure.isTheirs("id")),
            erase: .blank("\(fragment: ContactErasure.blank), deleted_at = coalesce(deleted_at, now())")),
        // Last: the others are found by it.
        PersonalData(
            "contact_identities", "Addresses and numbers of a contact",
            of: .rows(ContactErasure.isTheirs("contact_id")),
            erase: .delete),
    ]
}
