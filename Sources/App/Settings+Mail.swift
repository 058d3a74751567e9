import Core
import Loop
import Outbound

extension Settings {
    /// The way out for mails, when a mail server is set.
    func mailTransport(on loop: EventLoop) throws -> MailTransport? {
        guard let url = self.smtpURL?.revealed else { return nil }
        return MailTransport(
            SMTPClient(try MailServer(url), loop: loop), from: try Mailbox(parsing: self.mailFrom))
    }
}
