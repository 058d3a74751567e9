import Outbound
import Wire

/// The way out for mails: a server, and whom they come from. Without one in the environment nothing is sent and the
/// queue is the outbox that developers look into.
public struct MailTransport: Sendable {
    let client: SMTPClient
    let from: Mailbox

    public init(_ client: SMTPClient, from: Mailbox) {
        self.client = client
        self.from = from
    }

    /// Renders and hands over one mail. Whatever cannot be rendered or addressed never will be.
    func send(_ mail: MailQueue.Claimed) async -> MailOutcome {
        guard let template = MailTemplate(rawValue: mail.template) else {
            return .permanentFailure("there is no template \(mail.template)")
        }
        do {
            let rendered = try MailRenderer.render(template, locale: mail.locale, context: mail.context)
            // The row's own id, so that a mail sent twice after a crash can be told as one.
            let message = try MIMEMessage(
                from: from, to: [try Mailbox(mail.to, name: mail.name)], subject: rendered.subject,
                text: rendered.text, html: rendered.html, id: mail.id,
                unsubscribe: mail.context["unsubscribe"].map { MIMEMessage.Unsubscribe(url: $0) })
            return await client.send(message)
        } catch {
            return .permanentFailure("the mail cannot be written: \(error)")
        }
    }
}
