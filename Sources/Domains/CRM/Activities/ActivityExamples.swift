import Wire

/// What the contract shows of activities.
enum ActivityExamples {
    static let id: JSON = "0197e3a0-8f6c-7c21-9f0e-2b1f4f6f8a20"
    static let contact: JSON = "0197e3a0-8f6c-7c21-9f0e-2b1f4f6f8a21"
    static let member: JSON = "0197e3a0-8f6c-7c21-9f0e-2b1f4f6f8a22"
    private static let time: JSON = "2026-11-24T08:00:00Z"

    static let new: JSON = [
        "kind": "call", "direction": "out", "title": "First call", "body": "Wants an offer by Friday.",
        "outcome": "reached", "duration_seconds": 420, "contact_ids": [contact],
    ]

    static let record: JSON = ["kind": "contact", "id": contact, "name": "Anna Berg"]

    static let activity: JSON = [
        "id": id, "kind": "call", "direction": "out", "title": "First call",
        "body": "Wants an offer by Friday.",
        "at": time, "due_at": nil, "ends_at": nil, "completed_at": time, "is_overdue": false,
        "duration_seconds": 420,
        "outcome": "reached", "participants": [], "from_address": nil, "to_addresses": [], "owner_id": member,
        "owner_name": "Olivia Hart", "created_by": member, "created_by_name": "Olivia Hart", "source": "api",
        "external_id": nil, "pinned_at": nil, "edited_at": nil, "remind_at": nil, "records": [record],
        "version": 1,
        "created_at": time, "updated_at": time,
    ]

    static let note: JSON = [
        "id": id, "title": "Prefers mornings", "body": "Prefers mornings, never on Mondays.",
        "records": [record],
        "pinned_at": nil, "edited_at": nil, "created_by": member, "created_by_name": "Olivia Hart",
        "at": time,
        "version": 1, "created_at": time, "updated_at": time,
    ]

    static let entry: JSON = [
        "id": id, "at": time, "kind": "call", "title": "First call", "body": "Wants an offer by Friday.",
        "record_kind": "contact", "record_id": contact, "member_id": member, "member_name": "Olivia Hart",
        "data": ["direction": "out", "outcome": "reached"],
    ]
}
