import Wire

/// A made-up agency with people and client companies, as a file in Seeds describes it.
public struct DemoWorld: Decodable, Sendable {
    public struct Person: Decodable, Sendable {
        public let email: String
        public let name: String
        public let locale: String
    }

    public struct Membership: Decodable, Sendable {
        public let email: String
        public let title: String?
        public let roles: [String]
    }

    public struct Team: Decodable, Sendable {
        public let name: String
        public let lead: String
        public let members: [String]
    }

    public struct Company: Decodable, Sendable {
        public let id: UUID
        public let name: String
        public let timeZone: String
        public let locale: String
        /// The first one is the owner who founds it.
        public let members: [Membership]
        /// Of the agency, let into this client.
        public let staff: [Membership]?
        public let teams: [Team]
        public let invitations: [Membership]
    }

    /// Everybody's.
    public let password: String
    public let people: [Person]
    public let agency: Company
    public let clients: [Company]

    public init(json: [UInt8]) throws { self = try JSON.parse(json).decode() }

    /// The one to sign in as.
    public var owner: String { agency.members[0].email }
}
