import API
import Core
import Postgres
import Wire

enum StageKind: String, Codable, CaseIterable, SQLBindable, SQLBindableElement, RowValue, Sendable {
    case open, won, lost
}

/// A stage as deals come into it: locked, so that places in it are given by one at a time.
struct DealStage: Sendable {
    let id: UUID
    let pipeline: UUID
    let name: String
    let kind: StageKind
    let requiredFields: [String]
    let lastRank: Rank?

    /// Stages are locked before the deals that come into them; of several stages the one with the smaller id first.
    @inline(never)
    static func lock(_ stage: UUID, _ company: UUID, _ tx: Transaction) async throws -> DealStage? {
        let answers = try await tx.batch([
            "SELECT 1 FROM stages WHERE company_id = \(company) AND id = \(stage) FOR NO KEY UPDATE",
            // A statement of its own: it sees what those have done who were waited for.
            """
            SELECT s.pipeline_id, s.name, s.kind, s.required_fields,
                   (SELECT max(d.rank) FROM deals d WHERE d.company_id = s.company_id AND d.stage_id = s.id) AS last_rank
              FROM stages s WHERE s.company_id = \(company) AND s.id = \(stage)
            """,
        ])
        guard let row = answers[1].first else { return nil }
        return DealStage(
            id: stage, pipeline: try row.get("pipeline_id"), name: try row.get("name"),
            kind: try row.get("kind", as: StageKind.self),
            requiredFields: try row.get("required_fields", as: [String].self),
            lastRank: try row.get("last_rank", as: String?.self).flatMap { Rank($0) })
    }

    /// The stage a new deal begins in: the one that is named, else the first open one of its pipeline, else of the default.
    @inline(never)
    static func beginning(
        _ stage: UUID?, in pipeline: UUID?, _ company: UUID, _ tx: Transaction
    ) async throws -> DealStage {
        var wanted = stage
        if wanted == nil {
            var place = pipeline
            if place == nil { place = try await Pipelines.ensureDefault(company, tx) }
            let rows = try await tx.query(
                """
                SELECT s.id FROM stages s
                  JOIN pipelines p ON p.company_id = s.company_id AND p.id = s.pipeline_id
                 WHERE s.company_id = \(company) AND s.pipeline_id = \(place) AND s.kind = 'open' AND p.archived_at IS NULL
                 ORDER BY s.position, s.id LIMIT 1
                """)
            guard let first = rows.first else {
                throw Problem.unprocessable("/pipeline_id", "not-found", "is no pipeline that is in use")
            }
            wanted = try first.get("id")
        }
        let found = try await lock(wanted!, company, tx)
        guard let found, pipeline == nil || pipeline == found.pipeline else {
            throw Problem.unprocessable("/stage_id", "not-found", "is no stage of this pipeline")
        }
        return found
    }

    /// What a deal does not say yet but has to, to be in this stage.
    func missing(amount: Bool, closing: Bool, contact: Bool, client: Bool, custom: JSON) -> [Fault] {
        requiredFields.compactMap { field in
            let (pointer, isThere): (String, Bool) =
                switch field {
                case "amount": ("/amount_minor", amount)
                case "close_on": ("/close_on", closing)
                case "contact": ("/contact_id", contact)
                case "client": ("/client_id", client)
                default: ("/custom/\(JSON.escapePointer(field))", (custom[field] ?? .null) != .null)
                }
            return isThere ? nil : .at(pointer, "required-in-stage", "is required in the stage \(name)")
        }
    }
}
