import Wire

/// A made-up project as a file in Seeds tells it. Days are counted from the Monday of last week, so that its last sprint
/// is always half-way.
public struct DemoProject: Decodable, Sendable {
    struct Member: Decodable, Sendable {
        let email: String
        let role: ProjectRole
        let rateMinor: Int64?
    }

    struct Budget: Decodable, Sendable {
        let currency: String
        let amountMinor: Int64
        let rateMinor: Int64
    }

    struct Cost: Decodable, Sendable {
        let name: String
        let amountMinor: Int64
        let day: Int
    }

    struct Sprint: Decodable, Sendable {
        let name: String
        let goal: String
        let starts: Int
        let ends: Int
    }

    struct Milestone: Decodable, Sendable {
        let name: String
        let day: Int
        let isCompleted: Bool?
    }

    struct Goal: Decodable, Sendable {
        let name: String
        let target: Int
        let current: Int
        let unit: String
    }

    struct Task: Decodable, Sendable {
        let title: String
        let type: TaskType?
        let priority: TaskPriority?
        let points: Int?
        let minutes: Int?
        /// The e-mail address of the assignee.
        let who: String?
        let made: Int
        /// On which day it came into which sprint.
        let `in`: [[Int]]?
        let started: Int?
        let review: Int?
        let done: Int?
        let cancelled: Int?
        let due: Int?
        /// On which day how many minutes were worked.
        let log: [[Int]]?
        let milestone: Int?
    }

    let name: String
    let key: String
    let description: String
    let color: String
    let lead: String
    let members: [Member]
    let budget: Budget
    let costs: [Cost]
    let sprints: [Sprint]
    let milestones: [Milestone]
    let goals: [Goal]
    let tasks: [Task]

    public init(json: [UInt8]) throws { self = try JSON.parse(json).decode() }
}
