import API
import Core
import Postgres
import Wire

extension Pipelines {
    /// The pipeline deals go into when none is named; made with its stages when the company has none yet.
    @inline(never) @discardableResult
    static func ensureDefault(_ company: UUID, _ tx: Transaction) async throws -> UUID {
        let known = "SELECT id FROM pipelines WHERE company_id = \(company) AND is_default" as SQL
        if let row = try await tx.query(known).first { return try row.get("id") }
        let id = UUID.v7()
        let made = try await tx.query(
            """
            INSERT INTO pipelines (company_id, id, name, position, is_default) VALUES (\(company), \(id), 'Sales', 1, true)
            ON CONFLICT DO NOTHING RETURNING id
            """)
        // Somebody else has made it at the same moment.
        if made.isEmpty {
            let rows = try await tx.query(known)
            guard let row = rows.first else { throw Problem(.pipelineNameTaken) }
            return try row.get("id")
        }
        _ = try await tx.query(insert(StageDraft.usual, in: id, company))
        return id
    }

    /// A stage to be made.
    struct StageDraft: Sendable {
        var name: String
        var kind = StageKind.open
        var probability: Int
        var requiredFields: [String] = []
        var rottingDays: Int?
        var color: String?

        static let usual = [
            StageDraft(name: "New", probability: 1_000, rottingDays: 14, color: "#64748b"),
            StageDraft(name: "Qualified", probability: 2_500, rottingDays: 14, color: "#0ea5e9"),
            StageDraft(name: "Proposal", probability: 5_000, rottingDays: 21, color: "#6366f1"),
            StageDraft(name: "Negotiation", probability: 7_500, rottingDays: 14, color: "#f59e0b"),
            StageDraft(name: "Won", kind: .won, probability: 10_000, color: "#16a34a"),
            StageDraft(name: "Lost", kind: .lost, probability: 0, color: "#dc2626"),
        ]
    }

    /// Stages of a pipeline that has none yet, in this order.
    static func insert(_ stages: [StageDraft], in pipeline: UUID, _ company: UUID) -> SQL {
        let rows = stages.enumerated().map { index, stage -> JSON in
            [
                "id": .id(UUID.v7()), "name": .string(stage.name), "kind": .string(stage.kind.rawValue),
                "position": JSON(index + 1), "probability_bp": JSON(stage.probability),
                "required_fields": .array(stage.requiredFields.map(JSON.string)),
                "rotting_days": stage.rottingDays.map { JSON($0) } ?? .null, "color": .optional(stage.color),
            ]
        }
        return """
            INSERT INTO stages (company_id, id, pipeline_id, name, kind, position, probability_bp, required_fields,
                                rotting_days, color)
            SELECT \(company), s.id, \(pipeline), s.name, s.kind, s.position, s.probability_bp,
                   ARRAY(SELECT jsonb_array_elements_text(s.required_fields)), s.rotting_days, s.color
              FROM jsonb_to_recordset(\(JSONText(.array(rows)))::jsonb) AS s (
                   id uuid, name text, kind text, position integer, probability_bp integer, required_fields jsonb,
                   rotting_days integer, color text)
            """
    }
}
