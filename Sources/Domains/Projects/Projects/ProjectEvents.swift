import Core
import Postgres
import Wire

/// What others may react to in the life of a project.
enum ProjectEvents {
    static let all = [
        created.erased, updated.erased, completed.erased, archived.erased, restored.erased, deleted.erased,
    ]

    static let someId = UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a20")!
    static let otherId = UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a21")!

    struct ProjectData: Codable, Sendable {
        let projectId: UUID
        let key: String
        let name: String
        let status: ProjectStatus
        /// The fields that changed.
        let changed: [String]?
    }

    private static func example(_ status: ProjectStatus, changed: [String]? = nil) -> ProjectData {
        ProjectData(projectId: someId, key: "WEB", name: "Website relaunch", status: status, changed: changed)
    }

    static let created = EventType("project.created", "A project was made.", example: example(.draft))
    static let updated = EventType(
        "project.updated", "A project changed, or went on in its life: `changed` names the fields.",
        example: example(.active, changed: ["status"]))
    static let completed = EventType(
        "project.completed", "A project was completed.", example: example(.completed))
    static let archived = EventType(
        "project.archived", "A project was archived.", example: example(.archived))
    static let restored = EventType(
        "project.restored", "A project came back from the archive or the trash.", example: example(.active))
    static let deleted = EventType(
        "project.deleted", "A project was put into the trash.", example: example(.active))
}

extension ProjectEvents {
    /// One statement for a batch: these parts of the project are not what they were.
    static func updated(_ head: ProjectHead, _ changed: [String], by actor: Audit.Actor, _ company: UUID)
        throws -> SQL
    {
        try Events.sql(
            updated,
            ProjectData(
                projectId: head.id, key: head.key, name: head.name, status: head.status, changed: changed),
            on: "project", head.id, by: actor, company: company)
    }
}
