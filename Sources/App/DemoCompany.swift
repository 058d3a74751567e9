import Auth
import Companies
import Core
import Projects

/// The demo world of Seeds/aurora.json, for a look around: an agency with people in every role, teams and pending
/// invitations, two client companies, and a project that is half-way; one password for all of them.
public struct DemoCompany: Sendable {
    public struct Login: Sendable {
        public let email: String
        public let password: String
    }

    /// Why there is no demo company.
    public struct Fault: Error, CustomStringConvertible {
        public let description: String
    }

    private let world: DemoWorld
    private let project: DemoProject
    private let instance: Instance

    public init(of instance: Instance, settings: Settings) throws {
        guard settings.mode == .development else {
            throw Fault(
                description:
                    "the demo company has a password that everybody knows, and is for development only; "
                    + "set INFINITY_MODE=development")
        }
        world = try DemoWorld(json: Self.seed("aurora.json"))
        project = try DemoProject(json: Self.seed("aurora-project.json"))
        self.instance = instance
    }

    private static func seed(_ name: String) throws -> [UInt8] {
        let path = ShippedFiles.seeds + "/" + name
        guard let text = SmallFile.read(path) else {
            throw Fault(description: "\(path) cannot be read: \(SystemError.last)")
        }
        return Array(text.utf8)
    }

    /// Makes what of the world is not there yet, and tells how to log in to it.
    public func make() async throws -> Login {
        try await instance.environment[AuthParts.self].plant(world)
        try await CompaniesSeed.plant(world, instance.database)
        try await ProjectsSeed.plant(project, in: world.agency.id, instance.database)
        return Login(email: world.owner, password: world.password)
    }
}
