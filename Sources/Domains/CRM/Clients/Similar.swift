import API
import Core
import Postgres
import Wire

/// Records that may be meant, found as somebody types.
enum Similar {
    @RouteList static var routes: [Route] {
        GET("/v1/contacts/similar", "Find contacts like the one being typed", .can(.crmRead), contacts)
            .operation("similarContacts")
            .describe(
                "By address and number exactly, by name with slips. Addresses and numbers take crm:contact-data."
            )
            .example(answer: Contact.example)
        GET("/v1/clients/similar", "Find clients like the one being typed", .can(.crmRead), clients)
            .operation("similarClients").describe(
                "By the host of a website or an address, by name with slips."
            )
            .example(answer: ClientRecord.example)
    }

    struct ContactHints: Codable, Sendable {
        let name: Text<200>?
        let email: Text<254>?
        let phone: Text<40>?
    }

    static func contacts(_ call: Call, _ hints: Query<ContactHints>) async throws -> Page<Contact> {
        let principal = try Contacts.known(call)
        let company = try call.company
        let known = [(IdentityKind.email, hints.email?.text), (.phone, hints.phone?.text)].compactMap {
            kind, text -> SQL? in
            guard let norm = text.flatMap(kind.normal) else { return nil }
            return """
                SELECT i.contact_id AS subject_id, 100::real AS rank FROM contact_identities i
                 WHERE i.company_id = \(company) AND i.kind = \(kind) AND i.value_norm = \(norm)
                """
        }
        if hints.email != nil || hints.phone != nil { try call.require(.crmContactData) }
        let named = hints.name.map { Search.matching(ContactSearch.names, $0.text, company: company) }
        let rows = try await call.db.query(
            found(Contacts.select(principal), known + [named].compactMap { $0 }))
        return Page(all: rows)
    }

    struct ClientHints: Codable, Sendable {
        let name: Text<200>?
        let website: Text<300>?
        let email: Text<254>?
    }

    static func clients(_ call: Call, _ hints: Query<ClientHints>) async throws -> Page<ClientRecord> {
        let principal = try Contacts.known(call)
        let company = try call.company
        let hosts = [
            hints.website.flatMap { ClientDomain(website: $0.text) },
            hints.email.flatMap { ClientDomain(email: $0.text) },
        ]
        let known = hosts.compactMap { $0 }.map { host -> SQL in
            """
            SELECT d.id AS subject_id, 100::real AS rank FROM clients d
             WHERE d.company_id = \(company) AND d.domain_norm = \(host.text) AND d.deleted_at IS NULL
            """
        }
        let named = hints.name.map { Search.matching(ContactSearch.client, $0.text, company: company) }
        let rows = try await call.db.query(
            found(Clients.select(principal), known + [named].compactMap { $0 }))
        return Page(all: rows)
    }

    /// The best of what the statements find, of those that the caller sees.
    private static func found(_ select: SQL, _ finds: [SQL]) -> SQL {
        let none: SQL = "SELECT NULL::uuid AS subject_id, NULL::real AS rank WHERE false"
        let all = (finds.isEmpty ? [none] : finds).map { "(\(fragment: $0))" as SQL }.joined(
            separator: " UNION ALL ")
        return """
            SELECT seen.* FROM (
                SELECT subject_id, max(rank) AS rank FROM (\(fragment: all)) AS each
                 GROUP BY subject_id ORDER BY rank DESC LIMIT 200) AS best
              JOIN LATERAL (\(fragment: select) AND c.id = best.subject_id) AS seen ON true
             ORDER BY best.rank DESC, seen.updated_at DESC LIMIT \(ContactLimits.similarMax)
            """
    }
}
