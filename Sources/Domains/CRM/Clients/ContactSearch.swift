import API
import Core
import Postgres
import Wire

/// How contacts and clients are found by words. Addresses and numbers are words of a kind of their own, so that whoever may
/// not see them does not find by them either.
enum ContactSearch {
    static let all = "contact"
    static let names = "contact-name"
    static let client = "client"

    /// The kind that this caller searches in.
    static func kind(for principal: Principal) -> String {
        principal.permissions.contains(.crmContactData) ? all : names
    }

    /// Lets contacts be found by what they say now.
    @inline(never)
    static func renew(_ ids: [UUID], _ company: UUID, _ tx: Transaction) async throws {
        if ids.isEmpty { return }
        let rows = try await tx.query(
            """
            SELECT c.id, c.name, c.first_name, c.last_name, c.job_title, c.deleted_at IS NOT NULL AS is_gone,
                   ARRAY(SELECT i.value FROM contact_identities i WHERE i.company_id = c.company_id
                            AND i.contact_id = c.id AND i.kind <> 'phone') AS words,
                   ARRAY(SELECT i.value FROM contact_identities i WHERE i.company_id = c.company_id
                            AND i.contact_id = c.id AND i.kind = 'phone') AS phones
              FROM contacts c WHERE c.company_id = \(company) AND c.id = ANY(\(ids)::uuid[])
            """)
        var names: [(id: UUID, text: SearchText)] = []
        var whole: [(id: UUID, text: SearchText)] = []
        var gone: [UUID] = []
        for row in rows {
            let id: UUID = try row.get("id")
            if try row.get("is_gone") {
                gone.append(id)
                continue
            }
            let title: [String?] = [try row.get("name"), try row.get("first_name"), try row.get("last_name")]
            let words: [String] = try row.get("words")
            let phones: [String] = try row.get("phones")
            let job: String? = try row.get("job_title")
            names.append((id, Self.names(title[0], title[1], title[2], job, but: words + phones)))
            whole.append((id, SearchText(title: title + words, body: [job], phones: phones)))
        }
        _ = try await tx.batch(
            Search.put(Self.names, names, company: company) + Search.put(all, whole, company: company)
                + Search.remove(Self.names, gone, company: company)
                + Search.remove(all, gone, company: company))
    }

    /// A name that is an address or a number is none.
    static func names(_ name: String?, _ first: String?, _ last: String?, _ job: String?, but known: [String])
        -> SearchText
    {
        SearchText(title: [known.contains(name ?? "") ? nil : name, first, last], body: [job])
    }

    /// The same for clients.
    @inline(never)
    static func renewClients(_ ids: [UUID], _ company: UUID, _ tx: Transaction) async throws {
        if ids.isEmpty { return }
        let rows = try await tx.query(
            """
            SELECT id, name, domain_norm, industry, deleted_at IS NOT NULL AS is_gone FROM clients
             WHERE company_id = \(company) AND id = ANY(\(ids)::uuid[])
            """)
        var there: [(id: UUID, text: SearchText)] = []
        var gone: [UUID] = []
        for row in rows {
            let id: UUID = try row.get("id")
            if try row.get("is_gone") {
                gone.append(id)
            } else {
                there.append(
                    (
                        id,
                        text(
                            name: try row.get("name"), domain: try row.get("domain_norm"),
                            industry: try row.get("industry"))
                    ))
            }
        }
        _ = try await tx.batch(
            Search.put(client, there, company: company) + Search.remove(client, gone, company: company))
    }

    static func text(name: String, domain: String?, industry: String?) -> SearchText {
        SearchText(title: [name, domain], body: [industry])
    }
}
