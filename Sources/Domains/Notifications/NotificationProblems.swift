import API

extension ProblemCode {
    static let tooManyStreams = ProblemCode(
        "too-many-streams", 429, "You have as many streams open as one person may",
        advice: "Close a stream, or share one between your tabs.")
    static let unknownTicket = ProblemCode(
        "stream-ticket-unknown", 404, "This ticket opens nothing",
        advice: "It has been used or is too old: get a new one.")
    static let unknownAction = ProblemCode(
        "notification-action-unknown", 404, "The notification offers no such action",
        advice: "Use a key of its `actions`.")
    static let actionTaken = ProblemCode(
        "notification-action-taken", 409, "This notification has been acted on already",
        advice: "Read it again: `action_taken` says how.")
    static let nothingChosen = ProblemCode(
        "notifications-not-chosen", 422, "It is not said which notifications are meant",
        advice: "Send either `ids` or `filter`.")

    static let unknownUnsubscribe = ProblemCode(
        "unsubscribe-unknown", 404, "This address stops no mails",
        advice: "Use the address as it stands in the mail, or change your preferences after signing in.")
    static let nobodyAddressed = ProblemCode(
        "notification-without-recipients", 422, "Nobody would be told",
        advice: "Name people, roles, teams or watchers who are active members.")
    static let deliveryNotOver = ProblemCode(
        "delivery-not-retriable", 409, "Only a delivery that failed or was suppressed can be tried again",
        advice: "Read it: its state and reason say where it stands.")
    static let templateTaken = ProblemCode(
        "notification-template-taken", 409, "There is a template for this kind, channel and language",
        advice: "Change that one.")
    static let tooManyRules = ProblemCode(
        "too-many-notification-rules", 409, "The company has as many rules as it may have",
        advice: "Delete one that is no longer needed.")

    static let ofNotifications = [
        tooManyStreams, unknownTicket, unknownAction, actionTaken, nothingChosen, unknownUnsubscribe,
        nobodyAddressed,
        deliveryNotOver, templateTaken, tooManyRules,
    ]
}
