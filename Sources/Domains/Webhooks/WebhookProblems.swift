import API

extension ProblemCode {
    static let tooManyWebhookEndpoints = ProblemCode(
        "too-many-webhook-endpoints", 409, "The company has as many webhook endpoints as it may",
        advice: "Delete one first, or let one receiver hand the messages on.")
    static let webhookEndpointInactive = ProblemCode(
        "webhook-endpoint-inactive", 409, "This endpoint is switched off", advice: "Switch it on first.")
    static let webhookEventTypeUnknown = ProblemCode(
        "webhook-event-type-unknown", 422, "There is no such type of event",
        advice: "GET /v1/webhook-event-types lists them all.")
    static let webhookURLNotAllowed = ProblemCode(
        "webhook-url-not-allowed", 422, "Webhooks cannot be sent to this address",
        advice: "Give an https URL whose host is on the open Internet, on port 443, 80 or one from 1024 on.")
    static let webhookRecoveryUnderWay = ProblemCode(
        "webhook-recovery-under-way", 409, "A recovery of this endpoint is under way",
        advice: "Wait until its job is done.")

    static let ofWebhooks: [ProblemCode] = [
        tooManyWebhookEndpoints, webhookEndpointInactive, webhookEventTypeUnknown, webhookURLNotAllowed,
        webhookRecoveryUnderWay,
    ]
}
