import Core
import Wire

/// What others may react to about the plans of a project.
enum PlanEvents {
    static let all = [
        milestoneCreated.erased, milestoneUpdated.erased, milestoneCompleted.erased, milestoneDeleted.erased,
    ]

    struct MilestoneData: Codable, Sendable {
        let milestoneId: UUID
        let projectId: UUID
        let name: String
        let dueOn: LocalDate
    }

    private static let example = MilestoneData(
        milestoneId: ProjectEvents.someId, projectId: ProjectEvents.otherId, name: "Design approved",
        dueOn: LocalDate(year: 2026, month: 3, day: 20)!)
    static let milestoneCreated = EventType("milestone.created", "A milestone was set.", example: example)
    static let milestoneUpdated = EventType("milestone.updated", "A milestone changed.", example: example)
    static let milestoneCompleted = EventType(
        "milestone.completed", "A milestone was reached.", example: example)
    static let milestoneDeleted = EventType("milestone.deleted", "A milestone was deleted.", example: example)
}
