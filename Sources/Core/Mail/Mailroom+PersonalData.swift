extension Mailroom {
    public static let personalData = [
        PersonalData(
            "mail_queue", "Mails sent to the address and those that wait", of: .email("to_address"),
            hiding: ["context"], erase: .delete)
    ]

    public static let retention = [
        RetentionClass(
            "mail", "Mails that were sent", table: "mail_queue", since: "created_at", only: "t.state = 'sent'",
            days: 30, isSweptElsewhere: true),
        RetentionClass(
            "mail_given_up", "Mails that could not be delivered", table: "mail_queue", since: "created_at",
            only: "t.state = 'dead'", days: 90, isSweptElsewhere: true),
    ]
}
