import Core
import Postgres
import Wire

/// What is told of exports.
enum ExportEvents {
    static let all = [finished.erased]
    static let news = [ready, failed]

    struct Data: Codable, Sendable {
        let exportId: UUID
        let kind: String
        let rows: Int
        let fileId: UUID
    }

    static let finished = EventType(
        "export.finished", "A table has been taken out.",
        example: Data(
            exportId: UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a70")!, kind: "task", rows: 240,
            fileId: UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a71")!))

    static let ready = NotificationType(
        "export.ready", category: "exports", summary: "An export you started is ready.", channels: [.inApp],
        values: ["name", "rows"],
        texts: [
            "en": .init("Your export is ready: {{name}}", "{{rows}} rows; the file is kept for a week."),
            "de": .init("Ihr Export ist fertig: {{name}}", "{{rows}} Zeilen; die Datei bleibt eine Woche."),
        ])

    /// Whoever waits for the table does not look into the inbox for it.
    static let failed = NotificationType(
        "export.failed", category: "exports", summary: "An export you started could not be made.",
        severity: .high,
        values: ["name", "reason"],
        texts: [
            "en": .init("Your export could not be made: {{name}}", "{{reason}}"),
            "de": .init("Ihr Export konnte nicht erstellt werden: {{name}}", "{{reason}}"),
        ])

    @inline(never)
    static func tell(
        _ id: UUID, _ kind: ExportKind, rows: Int, _ kept: FileKeeping.Kept, to user: UUID,
        by actor: Audit.Actor,
        _ company: UUID, in tx: Transaction
    ) async throws {
        let data = Data(exportId: id, kind: kind.kind, rows: rows, fileId: kept.id)
        _ = try await tx.query(
            Audit.sql(
                .init("export.finished", on: "export", id, after: JSON(encoding: data)), by: actor,
                company: company))
        try await Events.record(finished, data, on: "export", id, by: actor, company: company, in: tx)
        try await Notify.record(
            ready, to: [user], about: .init("export", id),
            values: ["name": .string(kind.name), "rows": JSON(rows)],
            link: "/exports/\(id)", by: actor, company: company, in: tx)
    }
}
