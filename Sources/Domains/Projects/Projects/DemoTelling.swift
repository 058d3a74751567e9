import Core
import Wire

/// The days of a made-up project, and what happened to each of its tasks on them.
struct DemoTelling: Sendable {
    let now: Timestamp
    let monday: LocalDate
    let project: UUID
    let sprints: [UUID]
    let states: [String: UUID]

    init(_ project: UUID, sprints: [UUID], states: [String: UUID], now: Timestamp) {
        (self.project, self.sprints, self.states, self.now) = (project, sprints, states, now)
        let today = Int(now.seconds / 86_400)
        // The first of January 1970 was a Thursday.
        monday = LocalDate(daysSince1970: today - (today + 3) % 7 - 7)
    }

    func day(_ offset: Int) -> LocalDate { LocalDate(daysSince1970: monday.daysSince1970 + offset) }

    /// Nothing has happened after now.
    func moment(_ offset: Int, _ hour: Int) -> Timestamp {
        min(Timestamp(seconds: Int64(day(offset).daysSince1970) * 86_400 + Int64(hour) * 3600), now)
    }

    struct Step: Sendable {
        let at: Timestamp
        let before: TaskImage?
        let after: TaskImage
    }

    private enum Act {
        case made, planned(Int), state(String, StateCategory)
    }

    /// What happened, in order.
    func steps(of task: DemoProject.Task, _ id: UUID) -> [Step] {
        var acts: [(at: Timestamp, act: Act)] = [(moment(task.made, 9), .made)]
        for (place, entry) in (task.in ?? []).enumerated() {
            // What is carried over comes into the next sprint in the evening, when the last one has been closed.
            acts.append((moment(entry[0], place == 0 ? 14 : 18), .planned(entry[1])))
        }
        if let day = task.started { acts.append((moment(day, 15), .state("In progress", .started))) }
        if let day = task.review { acts.append((moment(day, 12), .state("In review", .started))) }
        if let day = task.done { acts.append((moment(day, 16), .state("Done", .completed))) }
        if let day = task.cancelled { acts.append((moment(day, 11), .state("Cancelled", .cancelled))) }
        acts.sort { $0.at < $1.at }
        var steps: [Step] = []
        for (at, act) in acts {
            let before = steps.last?.after
            steps.append(Step(at: at, before: before, after: image(of: task, id, before, act)))
        }
        return steps
    }

    private func image(of task: DemoProject.Task, _ id: UUID, _ before: TaskImage?, _ act: Act) -> TaskImage {
        let state = task.in == nil ? "Backlog" : "To do"
        var image =
            before
            ?? TaskImage(
                id: id, projectId: project, stateId: states[state] ?? .zero,
                category: task.in == nil ? .backlog : .unstarted,
                pointsHundredths: task.points.map { $0 * 100 },
                estimateMinutes: task.minutes)
        switch act {
        case .made: break
        case .planned(let sprint): image.sprintId = sprints[sprint]
        case .state(let name, let category):
            (image.stateId, image.category) = (states[name] ?? .zero, category)
        }
        return image
    }
}
