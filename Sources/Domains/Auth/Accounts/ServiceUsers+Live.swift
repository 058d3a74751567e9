import Core
import Postgres
import Wire

extension AuthDomain {
    /// What Companies makes its service accounts of.
    public static let serviceUsers = ServiceUsers(
        make: { name, company in
            let id = UUID.v7()
            return (
                id,
                """
                INSERT INTO users (id, kind, of_company, name) VALUES (\(id), 'service', \(company), \(name))
                """
            )
        },
        rename: { id, name in
            """
            UPDATE users SET name = \(name), version = version + 1, updated_at = now()
             WHERE id = \(id) AND kind = 'service'
            """
        },
        retire: { ids in
            """
            UPDATE users SET status = 'deleted', version = version + 1, updated_at = now()
             WHERE id = ANY(\(ids)) AND kind = 'service'
            """
        })
}
