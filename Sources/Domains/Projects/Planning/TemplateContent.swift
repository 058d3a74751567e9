import API
import Postgres
import Wire

/// What a template makes of a project. Days are counted from the project's start, which is day 0.
struct TemplateContent: Codable, Sendable {
    struct State: Codable, Sendable {
        let name: Text<60>
        let category: StateCategory
        let color: Color?
        let isInitial: Bool?
        let wipLimit: Whole<1, 10_000>?
    }

    struct Milestone: Codable, Sendable {
        let name: Text<120>
        let day: Whole<0, 3650>
    }

    struct Task: Codable, Sendable {
        let title: Text<250>
        let description: Prose<20_000>?
        let type: TaskType?
        let priority: TaskPriority?
        let points: Points?
        let estimateMinutes: Minutes?
        let startDay: Whole<0, 3650>?
        let dueDay: Whole<0, 3650>?
        /// The place of an earlier task in the list, counted from 0.
        let parent: Whole<0, 200>?
        /// The place of a milestone in the list, counted from 0.
        let milestone: Whole<0, 200>?
    }

    let states: UpTo<50, State>?
    let milestones: UpTo<100, Milestone>?
    let tasks: UpTo<200, Task>?

    /// All that is wrong with what refers to something else, at its place in a body that holds this as `content`.
    var faults: [Fault] {
        var faults: [Fault] = []
        for (place, task) in (tasks?.items ?? []).enumerated() {
            let at = "/content/tasks/\(place)"
            if let parent = task.parent, parent.value >= place {
                faults.append(.at("\(at)/parent", "not-earlier", "must be the place of an earlier task"))
            }
            if let milestone = task.milestone, milestone.value >= milestones?.items.count ?? 0 {
                faults.append(.at("\(at)/milestone", "unknown", "is no place among the milestones"))
            }
            if let start = task.startDay, let due = task.dueDay, start.value > due.value {
                faults.append(.at("\(at)/due_day", "before-start", "is before `start_day`"))
            }
        }
        guard let states = states?.items, !states.isEmpty else { return faults }
        if !states.contains(where: { $0.category == .completed })
            || !states.contains(where: { $0.category.isOpen })
        {
            faults.append(
                .at("/content/states", "incomplete", "need one that is open and one that is completed"))
        }
        if Set(states.map { $0.name.text.lowercased() }).count < states.count {
            faults.append(.at("/content/states", "repeated", "may not share a name"))
        }
        let initial = states.filter { $0.isInitial == true }
        if initial.count > 1 || initial.contains(where: { !$0.category.isOpen }) {
            faults.append(.at("/content/states", "initial", "have at most one initial, and it is open"))
        }
        return faults
    }

    var stateDrafts: [StateDraft] {
        guard let states = states?.items, !states.isEmpty else { return StateDraft.usual }
        return states.map {
            StateDraft(
                name: $0.name.text, category: $0.category, color: $0.color?.text,
                isInitial: $0.isInitial ?? false,
                wipLimit: $0.wipLimit?.value)
        }
    }
}

/// The templates everybody has.
enum BuiltInTemplates {
    struct Entry: Sendable {
        let key: String
        let name: String
        let description: String
        let content: TemplateContent
    }

    static let all: [Entry] = [
        entry(
            "product-launch", "Product launch", "Six weeks from the message to the day itself.",
            milestones: [("Message agreed", 7), ("Everything approved", 35), ("Launch", 42)],
            tasks: [
                ("Find the message", 0, 5, nil, 0), ("Talk with five customers", 0, 4, 0, 0),
                ("Landing page", 7, 25, nil, 1), ("Texts", 7, 14, 2, 1), ("Layout", 12, 20, 2, 1),
                ("Build it", 18, 25, 2, 1),
                ("Mailing", 20, 32, nil, 1), ("Posts for two weeks", 22, 33, nil, 1),
                ("Tell the press", 28, 36, nil, 1),
                ("Go live", 42, 42, nil, 2), ("Read the numbers", 43, 49, nil, nil),
            ]),
        entry(
            "webinar", "Webinar", "Four weeks: invite, rehearse, hold it, follow up.",
            milestones: [("Invitations are out", 10), ("Webinar", 28)],
            tasks: [
                ("Subject and speaker", 0, 3, nil, 0), ("Page to sign up", 3, 8, nil, 0),
                ("Invitation by mail", 5, 10, nil, 0),
                ("Slides", 8, 21, nil, 1), ("Rehearsal", 24, 25, nil, 1),
                ("Reminder a day before", 27, 27, nil, 1),
                ("Hold it", 28, 28, nil, 1), ("Send the recording", 29, 30, nil, nil),
                ("Hand new contacts to sales", 29, 32, nil, nil),
            ]),
        entry(
            "content-piece", "Content piece", "An article from the idea to the second wind.",
            milestones: [("Draft approved", 8), ("Published", 12)],
            tasks: [
                ("Find the question people ask", 0, 1, nil, 0), ("Outline", 1, 3, nil, 0),
                ("Draft", 3, 7, nil, 0),
                ("Edit and approve", 7, 8, nil, 0), ("Pictures", 7, 10, nil, 1),
                ("Title and summary for search", 10, 11, nil, 1),
                ("Publish", 12, 12, nil, 1), ("Posts about it", 12, 16, nil, nil),
                ("Look at it again", 60, 62, nil, nil),
            ]),
    ]

    static func named(_ key: String) throws -> Entry {
        guard let entry = all.first(where: { $0.key == key }) else { throw Problem.notFound }
        return entry
    }

    private static func entry(
        _ key: String, _ name: String, _ description: String, milestones: [(String, Int)],
        tasks: [(String, Int, Int, Int?, Int?)]
    ) -> Entry {
        let content = TemplateContent(
            states: nil,
            milestones: UpTo(
                milestones.map { .init(name: .init(unchecked: $0.0), day: .init(unchecked: $0.1)) }),
            tasks: UpTo(
                tasks.map { title, start, due, parent, milestone in
                    .init(
                        title: .init(unchecked: title), description: nil, type: nil, priority: nil,
                        points: nil,
                        estimateMinutes: nil, startDay: .init(unchecked: start),
                        dueDay: .init(unchecked: due),
                        parent: parent.map { .init(unchecked: $0) },
                        milestone: milestone.map { .init(unchecked: $0) })
                }))
        return Entry(key: key, name: name, description: description, content: content)
    }
}
