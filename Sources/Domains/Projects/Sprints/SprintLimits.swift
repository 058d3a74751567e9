/// How much of everything there may be about sprints.
enum SprintLimits {
    /// Ten years of sprints of two weeks, in three teams.
    static let perProjectMax = 800
    /// A sprint is for looking ahead as far as one can see; a quarter is the longest that has been asked for.
    static let daysMax = 120
    /// What fits on any plan; beyond it nobody would read the report.
    static let tasksMax = 2000
}
