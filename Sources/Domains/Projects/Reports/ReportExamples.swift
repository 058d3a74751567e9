import Wire

/// What the contract shows of reports.
enum ReportExamples {
    private static let project = TaskExamples.project
    private static let days: JSON.Object = {
        var object = JSON.Object()
        object["project_id"] = project
        object["time_zone"] = "Europe/Berlin"
        object["from"] = "2026-09-01"
        object["to"] = "2026-11-24"
        return object
    }()

    private static func report(_ more: [(String, JSON)]) -> JSON {
        var object = days
        for (key, value) in more { object[key] = value }
        return .object(object)
    }

    static let burn: JSON = [
        "sprint_id": SprintExamples.id, "name": "Sprint 12", "status": "active", "unit": "points",
        "time_zone": "Europe/Berlin", "starts_on": "2026-11-23", "ends_on": "2026-12-04", "committed": 32,
        "days": [
            [
                "day": "2026-11-23", "is_working_day": true, "ideal": 28.8, "added": 0, "removed": 0,
                "scope": 32, "done": 3,
                "remaining": 29,
            ],
            [
                "day": "2026-11-24", "is_working_day": true, "ideal": 25.6, "added": 0, "removed": 0,
                "scope": nil,
                "done": nil, "remaining": nil,
            ],
        ],
    ]

    static let velocity: JSON = [
        "project_id": project, "unit": "points",
        "sprints": [
            [
                "sprint_id": SprintExamples.id, "name": "Sprint 11", "closed_at": "2026-11-20T15:00:00Z",
                "committed": 30,
                "done": 27.5,
            ]
        ], "mean": 27.5, "least": 27.5, "most": 27.5,
    ]

    static let flow = report([
        (
            "days",
            [
                [
                    "day": "2026-11-24", "backlog": 18, "unstarted": 9, "started": 5, "completed": 61,
                    "cancelled": 2,
                ]
            ]
        )
    ])

    private static let percentiles: JSON = ["p50": 2.1, "p75": 3.8, "p85": 5.2, "p95": 9.4]

    static let cycleTime = report([
        ("count", 61), ("cycle_days", percentiles), ("lead_days", percentiles),
        (
            "completions",
            [
                [
                    "task_id": TaskExamples.id, "key": "WEB-142", "completed_at": "2026-11-23T14:20:00Z",
                    "completed_on": "2026-11-23", "cycle_days": 2.1, "lead_days": 9.4,
                ]
            ]
        ),
    ])

    static let forecast = report([
        ("remaining", 32), ("completed", 61), ("tasks_per_day", 0.72), ("runs", 2000), ("seed", 1),
        (
            "chances",
            [
                ["probability": 50, "days": 44, "done_on": "2027-01-07"],
                ["probability": 85, "days": 55, "done_on": "2027-01-18"],
            ]
        ), ("curve", [["day": "2027-01-07", "probability": 51.2]]),
    ])

    static let workload: JSON = [
        "project_id": project,
        "people": [
            [
                "member_id": TaskExamples.member, "name": "Ada Lovelace", "waiting_count": 5,
                "started_count": 2,
                "overdue_count": 1, "points": 18, "estimate_minutes": 1440,
            ]
        ],
    ]

    static let overdue: JSON = [
        "project_id": project, "time_zone": "Europe/Berlin", "count": 1,
        "spans": [
            ["days_from": 0, "days_to": 1, "count": 1], ["days_from": 31, "days_to": nil, "count": 0],
        ],
        "tasks": [
            [
                "task_id": TaskExamples.id, "key": "WEB-142", "title": "Write the launch page",
                "due_at": "2026-11-23T16:30:00Z", "days_overdue": 1, "assignee_ids": [TaskExamples.member],
            ]
        ],
    ]

    static let timeSpent: JSON = [
        "project_id": project, "time_zone": "Europe/Berlin", "from": "2026-11-01", "to": nil,
        "estimate_minutes": 1920,
        "spent_on_estimated_minutes": 2160, "spent_on_unestimated_minutes": 45, "spent_elsewhere_minutes": 0,
        "tasks": [
            [
                "task_id": TaskExamples.id, "key": "WEB-142", "title": "Write the launch page",
                "category": "started",
                "estimate_minutes": 240, "spent_minutes": 310,
            ]
        ],
    ]
}
