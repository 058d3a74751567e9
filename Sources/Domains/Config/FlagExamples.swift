import Wire

/// What flags look like, for the documentation.
enum FlagExamples {
    static let rules: JSON = [
        "rules": [
            "variants": [["name": "on", "value": true], ["name": "off", "value": false]],
            "off_variant": "off",
            "default": ["variant": "off"],
            "rules": [
                [
                    "name": "A tenth of the gold customers",
                    "conditions": [["attribute": "plan", "operator": "in", "values": ["gold"]]],
                    "rollout": 1000, "serve": ["variant": "on"],
                ]
            ],
        ]
    ]

    static let new: JSON = [
        "key": "new-checkout", "kind": "release", "description": "The checkout on one page", "is_on": true,
    ]

    private static let plain: JSON = [
        "variants": [["name": "on", "value": true], ["name": "off", "value": false]],
        "off_variant": "off",
        "default": ["variant": "on", "split": nil, "bucket_by": nil],
        "rules": [], "prerequisites": [],
    ]

    static let flag: JSON = [
        "id": "01939d2c-7f4e-7a61-9c0b-5f2f0d9b3c11", "key": "new-checkout", "kind": "release",
        "description": "The checkout on one page", "owner": "Web team", "is_on": true,
        "needs_approval": false,
        "rules": plain, "stale_at": nil, "archived_at": nil, "last_seen_at": nil, "evaluations": 0,
        "version": 1,
        "created_at": "2026-11-24T09:30:00.000000Z", "updated_at": "2026-11-24T09:30:00.000000Z",
    ]

    static let version: JSON = [
        "version": 1, "action": "created", "is_on": true, "rules": plain, "actor_kind": "user",
        "actor_id": "01939d2c-7f4e-7a61-9c0b-5f2f0d9b3c11", "at": "2026-11-24T09:30:00.000000Z",
    ]

    static let explained: JSON = [
        "decision": [
            "flag": "new-checkout", "variant": "on", "value": true, "reason": "rule", "rule": 0,
            "is_drawn": true,
            "bucket": 512, "variant_bucket": 7310, "bucket_by": "targetingKey", "version": 4,
        ],
        "steps": [
            [
                "flag": "new-checkout", "rule": 0, "name": "A tenth of the gold customers", "fits": true,
                "because": nil,
                "bucket": 512, "rollout": 1000,
            ]
        ],
        "set_version": 17,
    ]
}
