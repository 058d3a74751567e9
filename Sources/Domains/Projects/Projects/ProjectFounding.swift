import API
import Core
import Postgres
import Wire

/// A state as it is laid into a new project.
struct StateDraft: Codable, Sendable, Equatable {
    var name: String
    var category: StateCategory
    var color: String?
    var isInitial = false
    var wipLimit: Int?

    /// What a project begins with unless it is made from something else.
    static let usual = [
        StateDraft(name: "Backlog", category: .backlog, color: "#8a8f98"),
        StateDraft(name: "To do", category: .unstarted, color: "#5b6472", isInitial: true),
        StateDraft(name: "In progress", category: .started, color: "#2455d6"),
        StateDraft(name: "In review", category: .started, color: "#8b5cf6"),
        StateDraft(name: "Done", category: .completed, color: "#1a9f5a"),
        StateDraft(name: "Cancelled", category: .cancelled, color: "#b42318"),
    ]
}

/// A project about to be made.
struct ProjectDraft: Sendable {
    var id = UUID.v7()
    var name: String
    /// Nil takes the first free one of those suggested by the name.
    var key: String?
    var description: String?
    var visibility = ProjectVisibility.company
    var leadId: UUID?
    var color: String?
    /// Nil is the company's.
    var timeZone: String?
    var startOn: LocalDate?
    var dueOn: LocalDate?
    var isActive = false
    var states = StateDraft.usual
    var members: [(id: UUID, role: ProjectRole)] = []
    var createdBy: UUID?
}

/// The one way a project comes into being, with its states, its first members, and the record of it.
enum ProjectFounding {
    /// - Returns: the key it was given.
    @inline(never)
    static func found(
        _ draft: ProjectDraft, by actor: Audit.Actor, company: UUID, in tx: Transaction
    ) async throws -> String {
        let managers = Set([draft.leadId, draft.createdBy].compactMap { $0 })
        let others = draft.members.filter { !managers.contains($0.id) }
        try await ProjectMembers.requireActive(draft.leadId.map { [$0] } ?? [], at: "/lead_id", company, tx)
        try await Quotas.take(ProjectLimits.projects, 1, company: company, in: tx)
        let key = try await insert(draft, company, tx)
        let entry = Audit.Entry(
            "project.created", on: "project", draft.id,
            after: ["key": .string(key), "name": .string(draft.name)])
        _ = try await tx.batch([
            states(draft.states, of: draft.id, company),
            ProjectMembers.insert(managers.map { ($0, .manager) } + others, to: draft.id, company),
            Audit.sql(entry, by: actor, company: company),
        ])
        try await Events.record(
            ProjectEvents.created,
            .init(
                projectId: draft.id, key: key, name: draft.name, status: draft.isActive ? .active : .draft,
                changed: nil), on: "project", draft.id, by: actor, company: company, in: tx)
        return key
    }

    @inline(never)
    private static func insert(_ draft: ProjectDraft, _ company: UUID, _ tx: Transaction) async throws
        -> String
    {
        let candidates = draft.key.map { [$0] } ?? ProjectKey.candidates(for: draft.name)
        let rows = try await tx.query(
            """
            SELECT key FROM projects WHERE company_id = \(company) AND key = ANY(\(candidates))
             UNION ALL
            SELECT key FROM retired_project_keys WHERE company_id = \(company) AND key = ANY(\(candidates))
            """)
        let taken = Set(try rows.map { try $0.get("key", as: String.self) })
        for key in candidates where !taken.contains(key) {
            // Somebody else may take it in this moment; then the next one is tried.
            let made = try await tx.query(insert(draft, key, company))
            if !made.isEmpty { return key }
        }
        throw Problem(.projectKeyTaken, "The key \(candidates[0]) is or was another project's.")
    }

    private static func insert(_ draft: ProjectDraft, _ key: String, _ company: UUID) -> SQL {
        """
        INSERT INTO projects (company_id, id, key, name, description, status, visibility, lead_id, color, time_zone,
                              start_on, due_on, created_by)
        SELECT c.id, \(draft.id), \(key), \(draft.name), \(draft.description),
               \(draft.isActive ? ProjectStatus.active : .draft), \(draft.visibility), \(draft.leadId), \(draft.color),
               coalesce(\(draft.timeZone), c.time_zone), \(draft.startOn), \(draft.dueOn), \(draft.createdBy)
          FROM companies c WHERE c.id = \(company)
        ON CONFLICT (company_id, key) DO NOTHING RETURNING id
        """
    }

    /// In the order given; the first that may be is the initial one when none says so.
    static func states(_ drafts: [StateDraft], of project: UUID, _ company: UUID) -> SQL {
        let initial = drafts.firstIndex(where: \.isInitial) ?? drafts.firstIndex { $0.category.isOpen }
        let rows = drafts.enumerated().map { place, state -> SQL in
            """
            (\(company), \(UUID.v7()), \(project), \(state.name), \(state.category), \(state.color), \(place + 1),
             \(place == initial), \(state.wipLimit))
            """
        }
        return """
            INSERT INTO project_states (company_id, id, project_id, name, category, color, position, is_initial,
                                        wip_limit)
            VALUES \(fragment: rows.joined(separator: ", "))
            """
    }
}
