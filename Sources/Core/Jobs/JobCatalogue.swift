/// What this program does in the background: for those who look after it.
public struct JobCatalogue: Sendable {
    /// How many jobs of each queue run at once on an instance, unless the operators say otherwise.
    public let queues: [String: Int]
    public let crons: [Cron]
    public let reactions: [String]

    public init(_ handlers: [JobHandler], queues: [JobQueue], crons: [Cron], reactions: [Reaction]) {
        var limits: [String: Int] = [:]
        for handler in handlers { limits[handler.traits.queue] = JobLimits.concurrency }
        for queue in queues { limits[queue.name] = queue.concurrency }
        self.queues = limits
        self.crons = crons
        self.reactions = reactions.map(\.name).sorted()
    }
}
