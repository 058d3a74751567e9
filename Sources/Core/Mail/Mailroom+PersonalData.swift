extension Mailroom {
    public static let personalData = [
        PersonalData(
            "mail_queue", "Mails sent to the address and those that wait",
            of: .rows { subject in
                subject.email.map { email in
                    // The mail that says the account is gone still has to go out; it is swept with the others.
                    """
                    lower(t.to_address) = \(email)
                    AND NOT (t.template = 'account-deleted' AND t.state IN ('queued', 'sending'))
                    """
                }
            }, hiding: ["context"], erase: .delete)
    ]

    public static let sealed = [MailSeal.column]

    public static let retention = [
        RetentionClass(
            "mail", "Mails that were sent", table: "mail_queue", since: "created_at",
            only: "t.state = 'sent'",
            days: 30, isSweptElsewhere: true),
        RetentionClass(
            "mail_given_up", "Mails that could not be delivered", table: "mail_queue", since: "created_at",
            only: "t.state = 'dead'", days: 90, isSweptElsewhere: true),
    ]
}
