import Postgres
import Wire

/// How many sub-tasks a task has and how many of them are done, kept with it. They change by what its sub-tasks change, in
/// the same transaction, so that two who end two sub-tasks at once both count.
enum SubtaskCounts {
    /// What one task adds to its parent.
    private struct Share {
        let parent: UUID
        var count: Int
        var done: Int

        init?(parent: UUID?, _ category: StateCategory, isDeleted: Bool, sign: Int) {
            guard let parent, !isDeleted, category != .cancelled else { return nil }
            self.parent = parent
            count = sign
            done = category == .completed ? sign : 0
        }
    }

    static func added(_ tasks: [(parent: UUID?, category: StateCategory)], _ company: UUID) -> [SQL] {
        sql(tasks.compactMap { Share(parent: $0.parent, $0.category, isDeleted: false, sign: 1) }, company)
    }

    static func changed(_ tasks: [TaskWriting.Changed], _ company: UUID) -> [SQL] {
        sql(
            tasks.flatMap { task in
                [(task.before, -1), (task.after, 1)].compactMap { image, sign in
                    Share(parent: image.parentId, image.category, isDeleted: image.isDeleted, sign: sign)
                }
            }, company)
    }

    private static func sql(_ shares: [Share], _ company: UUID) -> [SQL] {
        var sums: [UUID: Share] = [:]
        for share in shares {
            if var sum = sums[share.parent] {
                sum.count += share.count
                sum.done += share.done
                sums[share.parent] = sum
            } else {
                sums[share.parent] = share
            }
        }
        let changes = sums.values.filter { $0.count != 0 || $0.done != 0 }
            .sorted { $0.parent.description < $1.parent.description }
        if changes.isEmpty { return [] }
        return [
            """
            UPDATE tasks t
               SET subtask_count = t.subtask_count + change.count, subtask_done_count = t.subtask_done_count + change.done
              FROM unnest(\(changes.map(\.parent))::uuid[], \(changes.map(\.count))::integer[],
                          \(changes.map(\.done))::integer[]) AS change (parent, count, done)
             WHERE t.company_id = \(company) AND t.id = change.parent
            """
        ]
    }
}
