import API
import Core
import Postgres
import Wire

/// A person asks to be forgotten: the contact stays as a nameless shadow where others' history points at it.
enum ContactErasure {
    @RouteList static var routes: [Route] {
        POST("/v1/contacts/{id}/erase", "Erase a contact", .can(.crmManage), erase)
            .operation("eraseContact")
            .describe(
                "Names, addresses, numbers, notes and what was written go, also of contacts merged into it; figures of deals "
                    + "stay. Nothing brings it back.")
    }

    static func erase(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        try await call.db.transaction { tx in
            let company = try call.company
            let principal = try Contacts.known(call)
            let rows = try await tx.query(
                """
                SELECT c.id FROM contacts c WHERE c.company_id = \(company) AND c.id = \(id)
                   AND \(fragment: CRMAccess.isShown(to: principal, "c")) FOR UPDATE
                """)
            if rows.isEmpty { throw Problem.notFound }
            try await erase([id.value], by: call.actor, company: company, in: tx)
        }
        return NoContent()
    }

    /// With all that was merged into them.
    @inline(never)
    static func erase(_ ids: [UUID], by actor: Audit.Actor, company: UUID, in tx: Transaction) async throws {
        let rows = try await tx.query(
            """
            WITH RECURSIVE all_of AS (
                SELECT id FROM contacts WHERE company_id = \(company) AND id = ANY(\(ids)::uuid[])
                UNION
                SELECT c.id FROM all_of JOIN contacts c ON c.company_id = \(company) AND c.merged_into = all_of.id)
            SELECT id FROM all_of ORDER BY id
            """)
        let all = try rows.map { try $0.get("id", as: UUID.self) }
        try await RecordLife.tell(.contact, ids, changed: [], isGone: true, by: actor, company, tx)
        _ = try await tx.batch(
            CRMDomain.erasures.flatMap { $0(all, company) } + own(all, company)
                + [ContactSearch.all, ContactSearch.names].flatMap {
                    Search.remove($0, all, company: company)
                }
                + SubjectLeftovers.sql("contact", all, company: company)
                + ids.map {
                    Audit.sql(Audit.Entry("contact.erased", on: "contact", $0), by: actor, company: company)
                })
    }

    private static func own(_ ids: [UUID], _ company: UUID) -> [SQL] {
        let here: SQL = "company_id = \(company) AND contact_id = ANY(\(ids)::uuid[])"
        return [
            "DELETE FROM contact_identities WHERE \(fragment: here)",
            "DELETE FROM crm_addresses WHERE \(fragment: here)",
            "DELETE FROM contact_tags WHERE \(fragment: here)",
            "DELETE FROM contact_clients WHERE \(fragment: here)",
            // That somebody allowed something, and when, has to stay provable; by whom is not said any more.
            "UPDATE contact_consents SET note = NULL, source = 'erased' WHERE \(fragment: here)",
            """
            UPDATE merges SET before = '{}', given = '{}'
             WHERE company_id = \(company) AND (survivor_contact = ANY(\(ids)::uuid[]) OR absorbed_contact = ANY(\(ids)::uuid[]))
            """,
            """
            UPDATE import_rows SET before = NULL, cells = NULL WHERE company_id = \(company) AND entity_id = ANY(\(ids)::uuid[])
            """,
            """
            UPDATE contacts SET \(fragment: blank), deleted_at = coalesce(deleted_at, now()), version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = ANY(\(ids)::uuid[])
            """,
        ]
    }

    /// A contact without what names anybody.
    static let blank: SQL = """
        name = 'Erased', first_name = NULL, last_name = NULL, job_title = NULL, email = NULL, phone = NULL, locale = NULL,
        time_zone = NULL, custom = '{}'
        """

    /// Contacts of the person of this address; `alias` is the contact's id.
    static func isTheirs(_ contact: String) -> @Sendable (PersonalData.Subject) -> SQL? {
        { subject in
            subject.email.map { email in
                """
                EXISTS (SELECT 1 FROM contact_identities own WHERE own.company_id = t.company_id
                           AND own.contact_id = t.\(unescaped: contact) AND own.kind = 'email' AND own.value_norm = \(email))
                """
            }
        }
    }
}
