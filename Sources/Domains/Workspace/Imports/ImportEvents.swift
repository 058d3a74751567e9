import API
import Core
import Postgres
import Wire

/// What is told of imports: to those who react, to whoever started it, and to the record of changes.
enum ImportEvents {
    static let all = [finished.erased, undone.erased]
    static let news = [ready]

    struct Data: Codable, Sendable {
        let importId: UUID
        let kind: String
        let createdCount: Int
        let changedCount: Int
        let skippedCount: Int
        let failedCount: Int
    }

    struct UndoData: Codable, Sendable {
        let importId: UUID
        let kind: String
    }

    private static let id = UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a60")!

    static let finished = EventType(
        "import.finished", "A table has been brought in.",
        example: Data(
            importId: id, kind: "task", createdCount: 240, changedCount: 3, skippedCount: 0, failedCount: 2))
    static let undone = EventType(
        "import.undone", "An import was taken back, but for what had changed since.",
        example: UndoData(importId: id, kind: "task"))

    static let ready = NotificationType(
        "import.finished", category: "imports", summary: "An import you started has come to its end.",
        channels: [.inApp],
        values: ["file", "written", "failed"],
        texts: [
            "en": .init(
                "{{file}} has been imported", "{{written}} rows were written, {{failed}} could not be."),
            "de": .init("{{file}} wurde importiert", "{{written}} Zeilen übernommen, {{failed}} nicht."),
        ])

    static func audit(_ action: String, _ id: UUID, _ after: JSON, _ actor: Audit.Actor, _ company: UUID)
        -> SQL
    {
        Audit.sql(.init(action, on: "import", id, after: after), by: actor, company: company)
    }

    @inline(never)
    static func tellFinished(_ pass: ImportPass, _ row: Row, in tx: Transaction) async throws {
        let data = Data(
            importId: pass.id, kind: pass.kind.kind, createdCount: try row.get("created_count"),
            changedCount: try row.get("changed_count"), skippedCount: try row.get("skipped_count"),
            failedCount: try row.get("failed_count"))
        _ = try await tx.query(
            audit("import.finished", pass.id, JSON(encoding: data), pass.run.actor, pass.company))
        try await Events.record(
            finished, data, on: "import", pass.id, by: pass.run.actor, company: pass.company, in: tx)
        try await Notify.record(
            ready, to: [pass.run.member.userId], about: .init("import", pass.id),
            values: [
                "file": .string(pass.stored.fileName), "written": JSON(data.createdCount + data.changedCount),
                "failed": JSON(data.failedCount),
            ],
            link: "/imports/\(pass.id)", by: pass.run.actor, company: pass.company, in: tx)
    }

    @inline(never)
    static func tellUndone(_ pass: ImportPass, in tx: Transaction) async throws {
        let data = UndoData(importId: pass.id, kind: pass.kind.kind)
        _ = try await tx.batch([
            """
            UPDATE imports SET state = 'undone', finished_at = now(), version = version + 1, updated_at = now()
             WHERE company_id = \(pass.company) AND id = \(pass.id)
            """,
            audit("import.undone", pass.id, JSON(encoding: data), pass.run.actor, pass.company),
        ])
        try await Events.record(
            undone, data, on: "import", pass.id, by: pass.run.actor, company: pass.company, in: tx)
    }
}
