import Wire

/// What the contract shows of tasks.
enum TaskExamples {
    static let id: JSON = "0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a20"
    static let other: JSON = "0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a30"
    static let project: JSON = "0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a21"
    static let state: JSON = "0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a22"
    static let member: JSON = "0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a23"

    static let newTask: JSON = [
        "project_id": project, "title": "Write the launch page", "type": "story", "priority": "high",
        "assignee_ids": [member], "points": 3, "due_on": "2026-12-04", "due_time": "17:30",
    ]

    static let summary: JSON = .object(fields(more: false))
    static let task: JSON = .object(fields(more: true))

    static let reference: JSON = [
        "id": other, "key": "WEB-140", "title": "Agree on the offer", "category": "started",
    ]

    private static func fields(more: Bool) -> JSON.Object {
        var task = JSON.Object()
        let head: [(String, JSON)] = [
            ("id", id), ("key", "WEB-142"), ("project_id", project), ("number", 142), ("type", "story"),
            ("title", "Write the launch page"),
        ]
        let body: [(String, JSON)] = [
            ("state_id", state), ("state_name", "In progress"), ("category", "started"), ("priority", "high"),
            ("rank", "b0F"), ("parent_id", nil), ("sprint_id", nil), ("reporter_id", member),
            ("assignee_ids", [member]), ("tag_ids", []), ("points", 3), ("estimate_minutes", nil),
            ("start_on", nil),
            ("due_on", "2026-12-04"), ("due_time", "17:30"), ("due_at", "2026-12-04T16:30:00Z"),
            ("is_overdue", false),
            ("is_blocked", .bool(more)), ("subtask_count", 2), ("subtask_done_count", 1),
        ]
        let parts: [(String, JSON)] = [
            ("checklist_count", 3), ("checklist_done_count", 1), ("blocked_by", [reference]), ("blocks", []),
        ]
        let tail: [(String, JSON)] = [
            ("custom", ["channel": "web"]), ("completed_at", nil), ("archived_at", nil), ("version", 4),
            ("created_at", "2026-11-20T09:12:00Z"), ("updated_at", "2026-11-24T08:00:00Z"),
        ]
        for (key, value) in head { task[key] = value }
        if more { task["description"] = "Headline, offer, form." }
        for (key, value) in body + (more ? parts : []) + tail { task[key] = value }
        return task
    }
}
