extension MailText {
    static let englishPhrases = MailPhrases(
        greeting: "Hello {{name}},",
        code: "Or type this code: {{code}}",
        footer:
            "You receive this mail because your address is used with Infinity. It was sent automatically.",
        unsubscribe: "Stop mails of this kind",
        dayMark: "",
        months: [
            "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
            "November", "December",
        ])

    static func english(_ template: MailTemplate) -> MailText {
        switch template {
        case .verifyEmail:
            MailText(
                "Confirm your e-mail address",
                """
                Please confirm that this address is yours. The link is good until {{expires_at}} and works once.

                If you did not sign up, ignore this mail: nothing happens without the confirmation.
                """, action: "Confirm address")
        case .passwordReset:
            MailText(
                "Reset your password",
                """
                Somebody at {{address}} asked for a new password for your account. The link is good until \
                {{expires_at}} and works once.

                If that was not you, ignore this mail: your password stays as it is.
                """, action: "Choose a new password")
        case .magicLink:
            MailText(
                "Sign in to Infinity",
                """
                Somebody at {{address}} asked for a link to sign in to your account. It works until {{expires_at}} and \
                only once.

                If that was not you, there is nothing to do: without this mail nobody gets in.
                """, action: "Sign in")
        case .passwordChanged:
            MailText(
                "Your password was changed",
                """
                The password of your account was changed on {{at}} from {{address}}. All other sessions were ended.

                If that was not you, use the button at once: it locks your account until you set a new password.
                """, action: "This was not me")
        case .accountExists:
            MailText(
                "You already have an account",
                """
                Somebody tried to sign up with your address, but it already has an account. You can simply sign in.

                If you have forgotten your password, set a new one here: {{reset_link}}
                """, action: "Sign in")
        case .newDevice:
            MailText(
                "New sign-in to your account",
                """
                Your account was opened on {{at}} with {{device}} from {{address}}, which we have not seen before.

                If that was you, there is nothing to do. If not, use the button at once: it ends that session and \
                locks your account until you set a new password.
                """, action: "This was not me")
        case .reuseDetected:
            MailText(
                "A session was ended for your safety",
                """
                A key of your session on {{device}} was used a second time on {{at}} from {{address}}. That can mean \
                that it was copied, so we ended the session.

                Please sign in again. If you did not notice anything unusual, we still suggest a new password.
                """, action: "Check your sessions")
        case .emailChangeConfirm:
            MailText(
                "Confirm your new e-mail address",
                """
                Please confirm that you want to use this address for your account from now on. The link is good until \
                {{expires_at}} and works once.
                """, action: "Confirm new address")
        case .emailChanged:
            MailText(
                "Your e-mail address was changed",
                """
                Your account now uses the address {{new_email}}. This address no longer signs in.

                If that was not you, use the button at once.
                """, action: "This was not me")
        case .mfaChanged:
            MailText(
                "Your two-factor sign-in was changed",
                """
                {{#factor_added}}A second factor was added{{/factor_added}}\
                {{#factor_removed}}A second factor was removed{{/factor_removed}}\
                {{#recovery_codes_made}}New recovery codes were made{{/recovery_codes_made}} on {{at}} from {{address}}.

                If that was not you, use the button at once.
                """, action: "This was not me")
        case .identityLinked:
            MailText(
                "You can now sign in by {{provider}}",
                """
                An account at {{provider}} was linked to yours on {{at}} from {{address}}. Whoever holds it can sign in.

                If that was not you, use the button at once.
                """, action: "This was not me")
        case .apiKeyCreated:
            MailText(
                "A new API key was made",
                """
                The API key "{{key_name}}" for {{company}} was made in your name on {{at}}.

                If that was not you, revoke it and change your password.
                """, action: "See API keys")
        case .impersonated:
            MailText(
                "{{actor}} is working in your name",
                """
                On {{at}} {{actor}} began to work in {{company}} in your name, to help you. The reason given: {{reason}}.

                It ends by itself after a short while, and what is done is recorded under both names.
                """)
        case .accountLocked:
            MailText(
                "Your account is locked",
                """
                Your account was locked on {{at}} by those who run this service. The reason given: {{reason}}.

                You can no longer sign in, and your sessions and keys have ended. Ask them if you think it is a mistake.
                """)
        case .accountDeleted:
            MailText(
                "Your account was deleted",
                """
                Your account was deleted on {{at}}, as you asked. You can no longer sign in, and your sessions and keys \
                have ended.
                """)
        case .dataExport:
            MailText(
                "The copy of data you asked for is ready",
                """
                The copy of data that was asked for in your name on {{at}} is ready. It can be downloaded until \
                {{expires_at}} and is deleted then.

                If that was not you, somebody else uses your account: change your password at once.
                """)
        case .dataExportFailed:
            MailText(
                "The copy of data you asked for could not be made",
                """
                The copy of data that was asked for in your name on {{at}} could not be made. Please ask for it again.

                If that was not you, somebody else uses your account: change your password at once.
                """)
        case .invitation:
            MailText(
                "{{inviter}} invites you to {{company}}",
                """
                {{inviter}} invites you to work in {{company}} as {{roles}}. The invitation is good until \
                {{expires_at}} and is meant for this address alone.

                {{#message}}{{inviter}} writes: {{message}}{{/message}}
                """, action: "See the invitation")
        case .invitationAccepted:
            MailText(
                "{{member}} has joined {{company}}",
                """
                {{member}} has accepted your invitation and is now a member of {{company}}.
                """, action: "See members")
        case .invitationMismatch:
            MailText(
                "Your invitation was tried with another address",
                """
                Somebody signed in with another address tried to accept your invitation of {{invited_email}} to \
                {{company}}. It was refused.

                If that person should come in under the other address, send a new invitation to it.
                """, action: "See invitations")
        case .joinRequest:
            MailText(
                "{{requester}} asks to join {{company}}",
                """
                {{requester}} has used a join link of {{company}} and waits for somebody to decide.
                """, action: "Decide")
        case .joinRequestApproved:
            MailText(
                "Welcome to {{company}}",
                """
                Your request to join {{company}} was approved.
                """, action: "Open {{company}}")
        case .roleChanged:
            MailText(
                "Your role in {{company}} has changed",
                """
                From now on you work in {{company}} as {{roles}}.
                """)
        case .memberSuspended:
            MailText(
                "Your access to {{company}} is suspended",
                """
                Your access to {{company}} was suspended. Your data stays; please ask an administrator there.
                """)
        case .memberRemoved:
            MailText(
                "You are no longer a member of {{company}}",
                """
                Your membership in {{company}} has ended. Your own account stays.
                """)
        case .clientAccessGranted:
            MailText(
                "You can now work in {{company}}",
                """
                You were given access to the client company {{company}}. Switch to it without signing in again.
                """, action: "Open {{company}}")
        case .ownershipTransfer:
            MailText(
                "Confirm the new owner of {{company}}",
                """
                You asked to hand {{company}} over to {{new_owner}}. You will stay on as an administrator. The link is \
                good until {{expires_at}} and works once.

                If that was not you, ignore this mail and change your password: nothing happens without the confirmation.
                """, action: "Confirm the transfer")
        case .ownershipTransferred:
            MailText(
                "{{company}} has a new owner",
                """
                {{new_owner}} is now the owner of {{company}}.
                """)
        case .companyDeletion:
            MailText(
                "{{company}} will be deleted",
                """
                {{company}} is closed and will be deleted for good, with all its data, on {{delete_after}}. Until then \
                an owner can restore it.
                """, action: "Restore {{company}}")
        case .companyRestored:
            MailText(
                "{{company}} is restored",
                """
                The deletion of {{company}} was called off. Everything is as it was.
                """, action: "Open {{company}}")
        case .notification: MailText("{{subject}}", "{{body}}", action: "Open")
        case .letter: MailText("{{subject}}", "{{body}}")
        }
    }
}
