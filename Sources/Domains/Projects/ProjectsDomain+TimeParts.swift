import API
import Core

/// What time and money bring into the domain.
extension ProjectsDomain {
    static let timeProblems: [ProblemCode] = [
        .timesheetLocked, .timesheetStepRefused, .timerRunning, .timerNotRunning, .budgetCurrencyFixed,
        .projectHasNoBudget,
    ]
    static let timeConstraints = [ConstraintProblem("time_entries_one_running", .timerRunning)]
    /// Whoever is shut out works no more: without this the clock would run on for a day.
    static let timeReactions = [
        Reaction("projects.stop-timer", on: .types(["member.removed", "member.suspended"])) { event, tx, _ in
            _ = try await TimeWriting.stopRunning(of: event.subjectId, by: .system, event.company, tx)
        }
    ]
    static let timeWatchables = [
        Watchable("timesheet", .timeRead) {
            "SELECT 1 FROM timesheets WHERE company_id = \($1) AND id = \($0)"
        }
    ]
    static let timePersonalData: [PersonalData] = [
        .none("project_budgets", "what the company's projects may cost"),
        .none("project_rates", "what an hour of a member costs, by membership"),
        .none("project_costs", "what the company's projects cost"),
        PersonalData(
            "time_entries", "Time somebody has worked", of: ofMember("member_id"),
            erase: .keep(
                "Hours that were worked are what clients are billed for. They name members by their ids.")),
        PersonalData(
            "timesheets", "Weeks of time somebody has handed in", of: ofMember("member_id"),
            erase: .keep("What was approved for billing has to stay provable. It names members by their ids.")
        ),
    ]

    private static func ofMember(_ column: String) -> PersonalData.Mark {
        .rows { subject in
            subject.user.map { user in
                """
                t.\(unescaped: column) IN (SELECT m.id FROM memberships m
                                            WHERE m.company_id = t.company_id AND m.user_id = \(user))
                """
            }
        }
    }

    /// What of projects hangs on a member.
    static let projectsHandovers: [HandoverPart] = [
        HandoverPart(
            "led_projects", "The other becomes their lead.",
            count: { who in
                """
                SELECT count(*) AS count FROM projects
                 WHERE company_id = \(who.company) AND lead_id = \(who.member) AND deleted_at IS NULL
                """
            },
            move: { from, to in
                [
                    """
                    INSERT INTO project_members AS place (company_id, project_id, member_id, role)
                    SELECT company_id, id, \(to.member), 'manager' FROM projects
                     WHERE company_id = \(from.company) AND lead_id = \(from.member)
                    ON CONFLICT ON CONSTRAINT project_members_pkey DO UPDATE SET role = 'manager'
                    """,
                    """
                    UPDATE projects SET lead_id = \(to.member), version = version + 1, updated_at = now()
                     WHERE company_id = \(from.company) AND lead_id = \(from.member)
                    """,
                ]
            }),
        HandoverPart(
            "running_timers", "A timer that runs is the member's own; it is stopped as the member goes."
        ) { who in
            """
            SELECT count(*) AS count FROM time_entries
             WHERE company_id = \(who.company) AND member_id = \(who.member) AND minutes IS NULL
            """
        },
    ]
}

extension Permission {
    public static let timeRead = Permission(
        "time:read", "See the time others have entered in the projects one sees", [.owner, .admin, .manager])
    public static let timeManage = Permission(
        "time:manage", "Enter and change others' time, and approve weeks of it", [.owner, .admin])
}

extension ProblemCode {
    static let timesheetLocked = ProblemCode(
        "timesheet-locked", 409, "This week of time has been handed in", advice: "Open the week again first.")
    static let timesheetStepRefused = ProblemCode(
        "timesheet-step-refused", 409, "The week of time is not where this can be done",
        advice: "`timesheet_status` says where it is.")
    static let timerRunning = ProblemCode(
        "timer-running", 409, "A timer is running", advice: "Stop it first.")
    static let timerNotRunning = ProblemCode(
        "timer-not-running", 404, "No timer of yours is running", advice: "Start one.")
    static let budgetCurrencyFixed = ProblemCode(
        "budget-currency-fixed", 409, "Money has been spent in the budget's currency",
        advice: "Keep the currency, or make another project.")
    static let projectHasNoBudget = ProblemCode(
        "project-has-no-budget", 409, "The project has no budget, so costs have no currency",
        advice: "Set a budget first.")
}
