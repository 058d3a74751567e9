extension MailText {
    static let germanPhrases = MailPhrases(
        greeting: "Guten Tag {{name}},",
        code: "Oder geben Sie diesen Code ein: {{code}}",
        footer:
            "Sie erhalten diese Nachricht, weil Ihre Adresse bei Infinity verwendet wird. Sie wurde automatisch versandt.",
        unsubscribe: "Solche Mails nicht mehr erhalten",
        dayMark: ".",
        months: [
            "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober",
            "November",
            "Dezember",
        ])

    static func german(_ template: MailTemplate) -> MailText {
        switch template {
        case .verifyEmail:
            MailText(
                "Bestätigen Sie Ihre E-Mail-Adresse",
                """
                Bitte bestätigen Sie, dass diese Adresse Ihnen gehört. Der Link gilt bis {{expires_at}} und nur einmal.

                Wenn Sie sich nicht angemeldet haben, ist nichts zu tun: Ohne Bestätigung geschieht nichts.
                """, action: "Adresse bestätigen")
        case .passwordReset:
            MailText(
                "Neues Passwort festlegen",
                """
                Von {{address}} aus wurde ein neues Passwort für Ihr Konto verlangt. Der Link gilt bis {{expires_at}} \
                und nur einmal.

                Wenn Sie das nicht waren, ist nichts zu tun: Ihr Passwort bleibt, wie es ist.
                """, action: "Neues Passwort wählen")
        case .magicLink:
            MailText(
                "Bei Infinity anmelden",
                """
                Von {{address}} aus wurde ein Link zum Anmelden an Ihrem Konto verlangt. Er gilt bis {{expires_at}} und \
                nur einmal.

                Wenn Sie das nicht waren, ist nichts zu tun: Ohne diese Nachricht kommt niemand hinein.
                """, action: "Anmelden")
        case .passwordChanged:
            MailText(
                "Ihr Passwort wurde geändert",
                """
                Das Passwort Ihres Kontos wurde am {{at}} von {{address}} aus geändert. Alle anderen Sitzungen sind \
                beendet.

                Wenn Sie das nicht waren, nutzen Sie sofort den Knopf: Er sperrt Ihr Konto, bis Sie ein neues Passwort \
                festlegen.
                """, action: "Das war ich nicht")
        case .accountExists:
            MailText(
                "Sie haben bereits ein Konto",
                """
                Jemand wollte sich mit Ihrer Adresse registrieren, zu ihr gibt es aber schon ein Konto. Melden Sie sich \
                einfach an.

                Passwort vergessen? Hier legen Sie ein neues fest: {{reset_link}}
                """, action: "Anmelden")
        case .newDevice:
            MailText(
                "Neue Anmeldung an Ihrem Konto",
                """
                Ihr Konto wurde am {{at}} mit {{device}} von {{address}} aus geöffnet; von dort kennen wir Sie noch nicht.

                Wenn Sie das waren, ist nichts zu tun. Wenn nicht, nutzen Sie sofort den Knopf: Er beendet die Sitzung \
                und sperrt Ihr Konto, bis Sie ein neues Passwort festlegen.
                """, action: "Das war ich nicht")
        case .reuseDetected:
            MailText(
                "Eine Sitzung wurde zu Ihrer Sicherheit beendet",
                """
                Ein Schlüssel Ihrer Sitzung auf {{device}} wurde am {{at}} von {{address}} aus ein zweites Mal benutzt. \
                Das kann heißen, dass er kopiert wurde; darum haben wir die Sitzung beendet.

                Bitte melden Sie sich neu an. Wir raten zu einem neuen Passwort.
                """, action: "Sitzungen prüfen")
        case .emailChangeConfirm:
            MailText(
                "Bestätigen Sie Ihre neue E-Mail-Adresse",
                """
                Bitte bestätigen Sie, dass Ihr Konto von nun an diese Adresse verwenden soll. Der Link gilt bis \
                {{expires_at}} und nur einmal.
                """, action: "Neue Adresse bestätigen")
        case .emailChanged:
            MailText(
                "Ihre E-Mail-Adresse wurde geändert",
                """
                Ihr Konto verwendet jetzt die Adresse {{new_email}}. Mit dieser Adresse kann man sich nicht mehr anmelden.

                Wenn Sie das nicht waren, nutzen Sie sofort den Knopf.
                """, action: "Das war ich nicht")
        case .mfaChanged:
            MailText(
                "Ihre Anmeldung in zwei Schritten wurde geändert",
                """
                Am {{at}} wurde von {{address}} aus \
                {{#factor_added}}ein zweiter Faktor hinzugefügt{{/factor_added}}\
                {{#factor_removed}}ein zweiter Faktor entfernt{{/factor_removed}}\
                {{#recovery_codes_made}}ein neuer Satz Wiederherstellungscodes erzeugt{{/recovery_codes_made}}.

                Wenn Sie das nicht waren, nutzen Sie sofort den Knopf.
                """, action: "Das war ich nicht")
        case .identityLinked:
            MailText(
                "Sie können sich jetzt mit {{provider}} anmelden",
                """
                Am {{at}} wurde von {{address}} aus ein Konto bei {{provider}} mit Ihrem verknüpft. Wer es besitzt, kann \
                sich damit anmelden.

                Wenn Sie das nicht waren, nutzen Sie sofort den Knopf.
                """, action: "Das war ich nicht")
        case .apiKeyCreated:
            MailText(
                "Ein neuer API-Schlüssel wurde angelegt",
                """
                Der API-Schlüssel "{{key_name}}" für {{company}} wurde am {{at}} in Ihrem Namen angelegt.

                Wenn Sie das nicht waren, widerrufen Sie ihn und ändern Sie Ihr Passwort.
                """, action: "API-Schlüssel ansehen")
        case .impersonated:
            MailText(
                "{{actor}} arbeitet in Ihrem Namen",
                """
                {{actor}} hat am {{at}} begonnen, in {{company}} in Ihrem Namen zu arbeiten, um Ihnen zu helfen. Angegebener \
                Grund: {{reason}}.

                Das endet nach kurzer Zeit von selbst; was dabei geschieht, wird mit beiden Namen aufgezeichnet.
                """)
        case .accountLocked:
            MailText(
                "Ihr Konto ist gesperrt",
                """
                Ihr Konto wurde am {{at}} von den Betreibern dieses Dienstes gesperrt. Angegebener Grund: {{reason}}.

                Sie können sich nicht mehr anmelden; Ihre Sitzungen und Schlüssel sind beendet. Fragen Sie dort nach, wenn \
                Sie das für einen Irrtum halten.
                """)
        case .accountDeleted:
            MailText(
                "Ihr Konto wurde gelöscht",
                """
                Ihr Konto wurde am {{at}} auf Ihren Wunsch gelöscht. Sitzungen und Schlüssel sind beendet.
                """)
        case .dataExport:
            MailText(
                "Die verlangte Kopie von Daten liegt bereit",
                """
                Die Kopie von Daten, die am {{at}} in Ihrem Namen verlangt wurde, liegt bereit. Sie kann bis \
                {{expires_at}} heruntergeladen werden und wird dann gelöscht.

                Wenn Sie das nicht waren, benutzt jemand Ihr Konto: Ändern Sie sofort Ihr Passwort.
                """)
        case .dataExportFailed:
            MailText(
                "Die verlangte Kopie von Daten konnte nicht erstellt werden",
                """
                Die Kopie von Daten, die am {{at}} in Ihrem Namen verlangt wurde, konnte nicht erstellt werden. Bitte \
                verlangen Sie sie noch einmal.

                Wenn Sie das nicht waren, benutzt jemand Ihr Konto: Ändern Sie sofort Ihr Passwort.
                """)
        case .invitation:
            MailText(
                "{{inviter}} lädt Sie zu {{company}} ein",
                """
                {{inviter}} lädt Sie ein, in {{company}} als {{roles}} mitzuarbeiten. Die Einladung gilt bis \
                {{expires_at}} und nur für diese Adresse.

                {{#message}}{{inviter}} schreibt: {{message}}{{/message}}
                """, action: "Einladung ansehen")
        case .invitationAccepted:
            MailText(
                "{{member}} ist {{company}} beigetreten",
                """
                {{member}} hat Ihre Einladung angenommen und gehört nun zu {{company}}.
                """, action: "Mitglieder ansehen")
        case .invitationMismatch:
            MailText(
                "Ihre Einladung wurde mit einer anderen Adresse versucht",
                """
                Jemand mit einer anderen Adresse wollte Ihre Einladung an {{invited_email}} zu {{company}} annehmen. \
                Das wurde abgelehnt.

                Soll die Person unter der anderen Adresse mitarbeiten, laden Sie diese neu ein.
                """, action: "Einladungen ansehen")
        case .joinRequest:
            MailText(
                "{{requester}} möchte {{company}} beitreten",
                """
                {{requester}} hat einen Beitrittslink von {{company}} benutzt und wartet auf eine Entscheidung.
                """, action: "Entscheiden")
        case .joinRequestApproved:
            MailText(
                "Willkommen bei {{company}}",
                """
                Ihrer Bitte, {{company}} beizutreten, wurde entsprochen.
                """, action: "{{company}} öffnen")
        case .roleChanged:
            MailText(
                "Ihre Rolle in {{company}} hat sich geändert",
                """
                Von nun an arbeiten Sie in {{company}} als {{roles}}.
                """)
        case .memberSuspended:
            MailText(
                "Ihr Zugang zu {{company}} ruht",
                """
                Ihr Zugang zu {{company}} wurde ausgesetzt. Ihre Daten bleiben; bitte fragen Sie dort nach.
                """)
        case .memberRemoved:
            MailText(
                "Sie gehören nicht mehr zu {{company}}",
                """
                Ihre Mitgliedschaft in {{company}} ist beendet. Ihr eigenes Konto bleibt.
                """)
        case .clientAccessGranted:
            MailText(
                "Sie können nun in {{company}} arbeiten",
                """
                Sie haben Zugang zum Kundenunternehmen {{company}} bekommen. Wechseln Sie ohne neue Anmeldung dorthin.
                """, action: "{{company}} öffnen")
        case .ownershipTransfer:
            MailText(
                "Bestätigen Sie den neuen Inhaber von {{company}}",
                """
                Sie möchten {{company}} an {{new_owner}} übergeben und bleiben als Administrator. Der Link gilt bis \
                {{expires_at}} und nur einmal.

                Wenn Sie das nicht waren, ändern Sie Ihr Passwort: Ohne Bestätigung geschieht nichts.
                """, action: "Übergabe bestätigen")
        case .ownershipTransferred:
            MailText(
                "{{company}} hat einen neuen Inhaber",
                """
                {{new_owner}} ist nun Inhaber von {{company}}.
                """)
        case .companyDeletion:
            MailText(
                "{{company}} wird gelöscht",
                """
                {{company}} ist geschlossen und wird am {{delete_after}} mit allen Daten endgültig gelöscht. Bis dahin \
                kann ein Inhaber es wiederherstellen.
                """, action: "{{company}} wiederherstellen")
        case .companyRestored:
            MailText(
                "{{company}} ist wiederhergestellt",
                """
                Die Löschung von {{company}} wurde zurückgenommen. Alles ist, wie es war.
                """, action: "{{company}} öffnen")
        case .notification: MailText("{{subject}}", "{{body}}", action: "Öffnen")
        case .letter: MailText("{{subject}}", "{{body}}")
        }
    }
}
