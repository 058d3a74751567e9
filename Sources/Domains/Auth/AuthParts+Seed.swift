import Core
import Postgres
import Wire

extension AuthParts {
    /// Gives the people of a demo world their accounts, confirmed and ready to sign in with. Accounts that are there
    /// already are left as they are.
    public func plant(_ world: DemoWorld) async throws {
        let hash = try await passwords.hash(world.password)
        for person in world.people {
            let company = world.clients.first { $0.members[0].email == person.email }?.id ?? world.agency.id
            _ = try await db.query(
                """
                INSERT INTO users (id, email, email_norm, name, locale, password_hash, email_verified_at, last_company_id)
                VALUES (\(UUID.v7()), \(person.email), \(person.email), \(person.name), \(person.locale), \(hash), now(),
                        \(company))
                ON CONFLICT (email_norm) DO NOTHING
                """)
        }
    }
}
