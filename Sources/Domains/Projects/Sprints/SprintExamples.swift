import Wire

/// What the contract shows of sprints.
enum SprintExamples {
    static let id: JSON = "0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a40"
    static let next: JSON = "0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a41"

    static let sprint: JSON = [
        "id": id, "project_id": TaskExamples.project, "name": "Sprint 12",
        "goal": "The shop can be ordered from.",
        "status": "active", "starts_on": "2026-11-23", "ends_on": "2026-12-04",
        "started_at": "2026-11-23T08:05:00Z",
        "closed_at": nil, "is_parallel": false, "task_count": 14, "done_count": 5, "points": 32,
        "done_points": 11.5,
        "version": 2, "created_at": "2026-11-16T10:00:00Z", "updated_at": "2026-11-23T08:05:00Z",
    ]

    static let reference: JSON = [
        "id": id, "name": "Sprint 12", "starts_on": "2026-11-23", "ends_on": "2026-12-04",
    ]

    static let settings: JSON = [
        "project_id": TaskExamples.project, "allows_parallel": true, "working_days": [1, 2, 3, 4],
        "version": 2,
    ]

    static let moved: JSON = ["sprint_id": id, "moved": 1]

    static let capacity: JSON = [
        "sprint_id": id, "working_days": 10, "available_minutes": 3240, "planned_minutes": 3600,
        "unassigned_minutes": 0, "unestimated_count": 1,
        "members": [
            [
                "member_id": TaskExamples.member, "name": "Ada Lovelace", "minutes_per_day": 360,
                "days_off": ["2026-11-27"], "available_minutes": 3240, "planned_minutes": 3600,
                "open_count": 7,
                "is_overbooked": true, "overbooked_minutes": 360,
            ]
        ],
    ]

    static let scopeChange: JSON = [
        "id": next, "at": "2026-11-25T13:40:00Z", "task_id": TaskExamples.id, "key": "WEB-142",
        "title": "Write the launch page", "kind": "added", "is_planning": false, "count_before": 0,
        "count_after": 1,
        "points_before": 0, "points_after": 3, "minutes_before": 0, "minutes_after": 240,
        "is_done_before": false,
        "is_done_after": false, "actor_kind": "user", "actor_id": TaskExamples.member,
    ]

    private static func totals(_ count: Int, _ points: Int) -> JSON {
        ["count": JSON(count), "points": JSON(points), "minutes": JSON(points * 60)]
    }

    static let report: JSON = [
        "sprint_id": id, "closing": 1, "frozen_at": "2026-12-04T15:00:00Z", "committed": totals(14, 32),
        "added": totals(2, 5), "removed": totals(1, 3), "cancelled": totals(1, 2), "done": totals(12, 28),
        "carried_over": totals(2, 4),
        "tasks": [
            [
                "task_id": TaskExamples.id, "key": "WEB-142", "title": "Write the launch page", "points": 3,
                "minutes": 240, "outcome": "done", "is_committed": true,
            ]
        ],
    ]

    static let closed: JSON = ["sprint": sprint, "report": report, "carried_to": next]
}
