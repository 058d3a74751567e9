import Core
import Postgres
import Wire

/// What others may react to, recorded in the transaction of the change.
enum ActivityEvents {
    static let all = [logged.erased, updated.erased, completed.erased, deleted.erased]

    /// Ids and times: what was said stays in the activity.
    struct Data: Codable, Sendable {
        let activityId: UUID
        let kind: ActivityKind
        let direction: ActivityDirection?
        let isPlanned: Bool
        let clientIds: [UUID]
        let contactIds: [UUID]
        let leadIds: [UUID]
        let dealIds: [UUID]

        init(_ entry: Timeline.Entry) {
            self.init(entry.id, entry.kind, entry.direction, isPlanned: entry.isPlanned, entry.records)
        }

        init(
            _ id: UUID, _ kind: ActivityKind, _ direction: ActivityDirection?, isPlanned: Bool,
            _ records: ActivityRecords
        ) {
            (activityId, self.kind, self.direction, self.isPlanned) = (id, kind, direction, isPlanned)
            (clientIds, contactIds, leadIds, dealIds) = (
                records.clients, records.contacts, records.leads, records.deals
            )
        }
    }

    private static let example = Data(
        UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6f8a20")!, .call, .out, isPlanned: false,
        ActivityRecords(contacts: [UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6f8a21")!]))

    static let logged = EventType(
        "activity.logged", "A call, meeting, e-mail or note was logged or planned.", example: example)

    struct ChangeData: Codable, Sendable {
        let activityId: UUID
        let kind: ActivityKind
    }

    private static let change = ChangeData(activityId: example.activityId, kind: .call)
    static let updated = EventType("activity.updated", "An activity changed.", example: change)
    static let completed = EventType("activity.completed", "What was planned has been done.", example: change)
    static let deleted = EventType("activity.deleted", "An activity was put into the trash.", example: change)
}
