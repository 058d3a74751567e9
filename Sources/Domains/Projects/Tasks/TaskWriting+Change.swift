import API
import Core
import Postgres
import Wire

extension TaskWriting {
    /// What is to be different of tasks; what is absent stays.
    struct Change: Sendable {
        var title: String?
        var description: Clearable<String> = nil
        var type: TaskType?
        /// A state of the tasks' project.
        var state: UUID?
        var priority: TaskPriority?
        var parent: Clearable<UUID> = nil
        var sprint: Clearable<UUID> = nil
        var reporter: Clearable<UUID> = nil
        var assignees: [UUID]?
        var addedAssignees: [UUID] = []
        var removedAssignees: [UUID] = []
        var tags: [UUID]?
        var addedTags: [UUID] = []
        var removedTags: [UUID] = []
        var pointsHundredths: Clearable<Int> = nil
        var estimateMinutes: Clearable<Int> = nil
        var startOn: Clearable<LocalDate> = nil
        var dueOn: Clearable<LocalDate> = nil
        var dueTime: Clearable<DayTime> = nil
        /// Merged into the values there are; null takes one away.
        var custom: JSON?
        var isArchived: Bool?
        /// Blocked tasks start and end all the same, and a full state takes another.
        var force = false

        init() {}
    }

    /// A task before and after, with the fields that are different.
    struct Changed: Sendable {
        let before: TaskSnapshot
        let after: TaskSnapshot
        let fields: [TaskFieldChange]
        var names: [String] { fields.map(\.name) }
    }

    struct Outcome: Sendable {
        /// The tasks that are different now.
        var changed: [Changed] = []
        var warnings: [TaskWarning] = []
    }

    /// Changes tasks that are there and not deleted. What is so already changes nothing, and says nothing.
    ///
    /// - Parameter allows: told the version of each, once it is locked; throws when that is not the one meant.
    @inline(never) @discardableResult
    static func change(
        _ tasks: [UUID], _ change: Change, by actor: Audit.Actor, company: UUID, in tx: Transaction,
        allows: (Int64) throws -> Void = { _ in }
    ) async throws -> Outcome {
        if change.parent != nil { _ = try await tx.query(TaskGraph.lock(company)) }
        let before = try await snapshots(tasks, company, tx)
        guard before.count == Set(tasks).count, !before.contains(where: \.isDeleted) else {
            throw Problem.notFound
        }
        for task in before { try allows(task.version) }
        let checks = try await ChangeChecks.check(change, of: before, company, tx)
        let after = try before.map { try $0.with(change, state: checks.state) }
        return try await write(before, after, warnings: checks.warnings, by: actor, company, tx)
    }

    /// The tasks with their rows locked, in the order of their ids; some may be deleted.
    static func snapshots(_ tasks: [UUID], _ company: UUID, _ tx: Transaction) async throws -> [TaskSnapshot]
    {
        let answers = try await tx.batch(TaskSnapshot.locked(tasks, company))
        return try answers[1].map { try $0.decode(TaskSnapshot.self) }
    }

    /// Writes what is different between two images of the same tasks, with all that follows from it.
    @inline(never)
    static func write(
        _ before: [TaskSnapshot], _ after: [TaskSnapshot], warnings: [TaskWarning] = [],
        by actor: Audit.Actor,
        _ company: UUID, _ tx: Transaction
    ) async throws -> Outcome {
        let changed = zip(before, after).map {
            Changed(before: $0, after: $1, fields: $0.differences(to: $1))
        }
        .filter { !$0.fields.isEmpty }
        if changed.isEmpty { return Outcome(warnings: warnings) }
        let history = changed.flatMap { change in
            change.fields.map { (change.before.id, $0.name, $0.before, $0.after) }
        }
        let events = try changed.flatMap { try TaskEvents.changed($0, by: actor, company) }
        _ = try await tx.batch(
            TaskUpdate.statements(changed, company) + SubtaskCounts.changed(changed, company)
                + TaskFlow.sql(changed.map { ($0.before.image, $0.after.image) }, by: actor, company: company)
                + [Self.history(history, by: actor, company)] + events + TaskSearch.changed(changed, company))
        try await TaskNews.tell(changed, by: actor, company, tx)
        return Outcome(changed: changed, warnings: warnings)
    }
}

/// What the caller should know although his change was made.
enum TaskWarning: String, Codable, CaseIterable, Sendable {
    case wipLimitExceeded = "wip_limit_exceeded"
    case blocked
}

extension TaskSnapshot {
    /// The task as the change leaves it.
    func with(_ change: TaskWriting.Change, state: ProjectPlace.State?) throws -> TaskSnapshot {
        var new = self
        if let title = change.title { new.title = title }
        if let description = change.description { new.description = description }
        if let type = change.type { new.type = type }
        if let state { (new.stateId, new.stateName, new.category) = (state.id, state.name, state.category) }
        if let priority = change.priority { new.priority = priority }
        if let parent = change.parent { new.parentId = parent }
        if let sprint = change.sprint { new.sprintId = sprint }
        if let reporter = change.reporter { new.reporterId = reporter }
        if let assignees = change.assignees {
            new.assigneeIds = Self.assigned(assignees, after: new.assigneeIds)
        }
        new.assigneeIds.removeAll(where: change.removedAssignees.contains)
        new.assigneeIds = Self.assigned(new.assigneeIds + change.addedAssignees, after: new.assigneeIds)
        if let tags = change.tags {
            new.tagIds = new.tagIds.filter(tags.contains) + tags.filter { !new.tagIds.contains($0) }.unique
        }
        new.tagIds.removeAll(where: change.removedTags.contains)
        new.tagIds += change.addedTags.filter { !new.tagIds.contains($0) }.unique
        if let points = change.pointsHundredths { new.pointsHundredths = points }
        if let minutes = change.estimateMinutes { new.estimateMinutes = minutes }
        if let start = change.startOn { new.startOn = start }
        if let due = change.dueOn {
            new.dueOn = due
            if due == nil { new.dueTime = nil }
        }
        if let time = change.dueTime { new.dueTime = time?.text }
        if let custom = change.custom { new.custom = Self.merged(new.custom, custom) }
        if let isArchived = change.isArchived { new.isArchived = isArchived }
        if new.assigneeIds.count > TaskLimits.assigneesMax { throw Problem(.tooManyAssignees) }
        if new.tagIds.count > TaskLimits.tagsMax {
            throw Problem(.tooManyTaskParts, "A task bears up to \(TaskLimits.tagsMax) tags.")
        }
        if change.startOn != nil || change.dueOn != nil || change.dueTime != nil {
            try TaskChecks.checkDates(new.startOn, new.dueOn, new.dueTime != nil)
        }
        return new
    }

    /// Those who were assigned before stay in their order, and the others follow.
    private static func assigned(_ members: [UUID], after before: [UUID]) -> [UUID] {
        before.filter(members.contains) + members.filter { !before.contains($0) }.unique.inOrder
    }

    private static func merged(_ old: JSON, _ change: JSON) -> JSON {
        var values = JSON.Object()
        let changes = change.objectValue?.members ?? []
        for (key, value) in (old.objectValue?.members ?? []) where change[key] == nil { values[key] = value }
        for (key, value) in changes where !value.isNull { values[key] = value }
        return .object(values)
    }
}

extension [UUID] {
    /// As the database sorts them.
    var inOrder: [UUID] { sorted { $0.description < $1.description } }
}
