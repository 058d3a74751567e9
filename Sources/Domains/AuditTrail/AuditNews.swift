import Core

/// What those who answer for the record of changes are told of it.
enum AuditNews {
    static let all = [exportReady, exportFailed, streamPaused]

    static let exportReady = NotificationType(
        "audit.export_ready", category: "audit", summary: "A file of the record of changes is ready.",
        values: ["events", "expires_at"],
        texts: [
            "en": .init(
                "The file of the record of changes is ready",
                "It holds {{events}} changes and can be downloaded until {{expires_at}}."),
            "de": .init(
                "Die Datei mit dem Änderungsprotokoll liegt bereit",
                "Sie enthält {{events}} Änderungen und kann bis {{expires_at}} heruntergeladen werden."),
        ])

    static let exportFailed = NotificationType(
        "audit.export_failed", category: "audit",
        summary: "A file of the record of changes could not be made.",
        severity: .high,
        texts: [
            "en": .init("The file of the record of changes could not be made", "Please ask for it again."),
            "de": .init(
                "Die Datei mit dem Änderungsprotokoll konnte nicht erstellt werden",
                "Bitte verlangen Sie sie noch einmal."),
        ])

    static let streamPaused = NotificationType(
        "audit.stream_paused", category: "audit",
        summary: "The record of changes is not sent to its collector any more.", severity: .high,
        values: ["name", "error"],
        texts: [
            "en": .init(
                "The audit stream {{name}} is paused",
                "Its receiver does not take the record of changes: {{error}}. Nothing is lost: switched on again, the "
                    + "stream goes on where it stopped."),
            "de": .init(
                "Der Audit-Strom {{name}} ruht",
                "Sein Empfänger nimmt das Änderungsprotokoll nicht an: {{error}}. Nichts geht verloren: Wieder "
                    + "eingeschaltet, macht der Strom dort weiter, wo er stehen geblieben ist."),
        ])
}
