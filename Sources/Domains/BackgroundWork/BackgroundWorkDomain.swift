import API
import Core

public enum BackgroundWorkDomain: Domain {
    public static let name = "Jobs"
    public static let summary = "Jobs, queues, schedules and the events that domains hand each other."

    public static var routes: [Route] { [] }
}
