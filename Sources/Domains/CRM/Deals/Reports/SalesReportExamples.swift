import Wire

/// What the contract shows of reports.
enum SalesReportExamples {
    private static func report(_ more: JSON, ofPipeline: Bool = true) -> JSON {
        let head: JSON = ["time_zone": "Europe/Berlin", "from": "2026-06-01", "to": "2026-11-24"]
        guard var object = head.objectValue else { return head }
        if ofPipeline { object["pipeline_id"] = DealExamples.pipeline }
        for (key, value) in more.objectValue?.members ?? [] { object[key] = value }
        return .object(object)
    }

    static let funnel = report([
        "deals": 40, "won": 12, "lost": 18, "win_rate_bp": 4_000, "won_minor": 18_400_000, "currency": "EUR",
        "stages": [
            [
                "stage_id": DealExamples.stage, "name": "Proposal", "entered": 40, "passed": 24, "lost": 10,
                "open": 6,
                "conversion_bp": 6_000,
            ]
        ],
    ])

    static let velocity = report([
        "stages": [
            [
                "stage_id": DealExamples.stage, "name": "Proposal", "stays": 34, "median_hours": 168,
                "p80_hours": 312,
            ]
        ],
        "open": 10, "won": 12, "lost": 18, "win_rate_bp": 4_000, "cycle_hours": 1_104,
        "average_won_minor": 1_533_333,
        "per_day_minor": 133_333, "currency": "EUR",
    ])

    static let winRate = report([
        "currency": "EUR",
        "months": [["month": "2026-11", "won": 3, "lost": 2, "win_rate_bp": 6_000, "won_minor": 4_200_000]],
    ])

    static let cohorts = report(
        [
            "cohorts": [
                [
                    "month": "2026-09", "deals": 9, "won": 3, "lost": 2, "won_by_month": [1, 2, 3],
                    "win_rate_bp": 3_333,
                ]
            ]
        ], ofPipeline: false)

    static func forecast(_ isOfPipeline: Bool) -> JSON {
        [
            "pipeline_id": isOfPipeline ? DealExamples.pipeline : .null, "time_zone": "Europe/Berlin",
            "currency": "EUR",
            "months": [
                [
                    "month": "2026-11", "deals": 7, "closed_minor": 4_200_000, "commit_minor": 1_800_000,
                    "best_case_minor": 2_500_000, "pipeline_minor": 900_000, "weighted_minor": 6_925_000,
                    "target_minor": 8_000_000,
                ]
            ], "undated_minor": 300_000, "undated_weighted_minor": 30_000,
            "currencies": [
                [
                    "currency": "EUR", "deals": 6, "open_minor": 5_200_000, "weighted_minor": 2_725_000,
                    "has_no_rate": false,
                ]
            ],
        ]
    }

    static let leaderboard = report(
        [
            "currency": "EUR",
            "people": [
                [
                    "member_id": DealExamples.member, "name": "Ada Lovelace", "made": 14, "won": 6, "lost": 4,
                    "open": 5,
                    "win_rate_bp": 6_000, "won_minor": 9_800_000, "open_minor": 4_100_000,
                ]
            ],
        ], ofPipeline: false)

    static let conversion = report(
        [
            "months": [
                [
                    "month": "2026-10", "leads": 25, "converted": 8, "deals": 7, "won": 2,
                    "conversion_bp": 3_200,
                ]
            ]
        ],
        ofPipeline: false)
}
