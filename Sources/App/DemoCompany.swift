import Core
import Crypto
import Postgres
import Wire

/// The company of Seeds/demo.json, for a look around: people in every role, teams, one password for all of them.
public struct DemoCompany: Sendable {
    public struct Login: Sendable {
        public let email: String
        public let password: String
    }

    /// Why there is no demo company.
    public struct Fault: Error, CustomStringConvertible {
        public let description: String
    }

    private let world: World
    private let instance: Instance
    private let settings: Settings

    public init(of instance: Instance, settings: Settings) throws {
        guard settings.mode == .development else {
            throw Fault(
                description:
                    "the demo company has a password that everybody knows, and is for development only; "
                    + "set INFINITY_MODE=development")
        }
        let path = ShippedFiles.seeds + "/demo.json"
        guard let text = SmallFile.read(path) else {
            throw Fault(description: "\(path) cannot be read: \(SystemError.last)")
        }
        world = try JSON.parse(text).decode(World.self)
        self.instance = instance
        self.settings = settings
    }

    /// Makes the company unless it is there already, and tells how to log in to it.
    public func make() async throws -> Login {
        let owner = world.people[0]
        let rows = try await instance.database.query("SELECT 1 FROM users WHERE email_norm = \(owner.email)")
        if rows.isEmpty { try await found() }
        return Login(email: owner.email, password: world.password)
    }

    private func found() async throws {
        guard let pepper = settings.passwordPepper.flatMap({ Base64.decode($0.revealed) }) else {
            throw Fault(description: "INFINITY_PASSWORD_PEPPER is not set")
        }
        let hash = PasswordHash(cost: settings.bcryptCost, pepper: pepper).hash(world.password)
        let company = UUID.v7()
        let people = world.people.map { (id: UUID.v7(), person: $0) }
        let founding = instance.environment[CompanyFounding.self]
        let world = world
        try await instance.database.transaction(as: Tenant(company: company, user: people[0].id)) { tx in
            _ = try await tx.batch(people.map { Self.user($0.id, $0.person, hash) })
            _ = try await founding.found(
                CompanyFounding.NewCompany(
                    id: company, name: world.company.name, founder: people[0].id,
                    timeZone: world.company.timeZone,
                    locale: world.company.locale),
                Audit.Actor.system, tx)
            _ = try await tx.batch(
                people.dropFirst().flatMap { Self.membership($0.id, $0.person, in: company) })
            _ = try await tx.batch(
                world.teams.flatMap { Self.team($0, in: company) } + [
                    """
                    UPDATE companies SET seats_used = (
                        SELECT count(*) FROM memberships WHERE company_id = \(company) AND status = 'active')
                     WHERE id = \(company)
                    """
                ])
        }
    }

    private static func user(_ id: UUID, _ person: World.Person, _ hash: String) -> SQL {
        """
        INSERT INTO users (id, email, email_norm, name, password_hash, password_changed_at, email_verified_at)
        VALUES (\(id), \(person.email), \(person.email), \(person.name), \(hash), now(), now())
        """
    }

    private static func membership(_ user: UUID, _ person: World.Person, in company: UUID) -> [SQL] {
        let member = UUID.v7()
        return [
            """
            INSERT INTO memberships (company_id, id, user_id, title)
            VALUES (\(company), \(member), \(user), \(person.title))
            """,
            """
            INSERT INTO member_roles (company_id, member_id, role_id)
            SELECT \(company), \(member), id FROM roles WHERE company_id = \(company) AND key = \(person.role)
            """,
        ]
    }

    private static func team(_ team: World.Team, in company: UUID) -> [SQL] {
        let id = UUID.v7()
        return [
            """
            INSERT INTO teams (company_id, id, name, description, color)
            VALUES (\(company), \(id), \(team.name), \(team.description), \(team.color))
            """,
            """
            INSERT INTO team_members (company_id, team_id, member_id)
            SELECT m.company_id, \(id), m.id
              FROM memberships m
              JOIN users u ON u.id = m.user_id
             WHERE m.company_id = \(company) AND u.email_norm = ANY(\(team.people))
            """,
        ]
    }
}

/// Seeds/demo.json.
private struct World: Decodable {
    struct Company: Decodable {
        let name: String
        let timeZone: String
        let locale: String
    }
    struct Person: Decodable {
        let name: String
        let email: String
        let role: String
        let title: String
    }
    struct Team: Decodable {
        let name: String
        let description: String
        let color: String
        let people: [String]
    }

    let company: Company
    let password: String
    let people: [Person]
    let teams: [Team]
}
