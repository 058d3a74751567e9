import Wire

/// A mail: text, and HTML beside it, in the form that goes over the wire (RFC 5322, RFC 2045 to 2047).
public struct MIMEMessage: Sendable {
    /// How a reader gets off the list with one click (RFC 2369, RFC 8058).
    public struct Unsubscribe: Sendable {
        /// Takes a POST of `List-Unsubscribe=One-Click`.
        public let url: String
        public let address: Mailbox?

        public init(url: String, address: Mailbox? = nil) {
            self.url = url
            self.address = address
        }
    }

    public let from: Mailbox
    public let to: [Mailbox]
    public let subject: String
    public let text: String
    public let html: String?
    public let replyTo: Mailbox?
    public let date: Timestamp
    /// Without its angle brackets; the same on every try, so that a second delivery can be told as one.
    public let messageId: String
    public let unsubscribe: Unsubscribe?
    public let headers: [(name: String, value: String)]

    /// Refuses what could add a header line: a line break in the subject, a name, a URL or an extra header.
    public init(
        from: Mailbox, to: [Mailbox], subject: String, text: String, html: String? = nil,
        replyTo: Mailbox? = nil,
        id: UUID = .v7(), date: Timestamp = .now, unsubscribe: Unsubscribe? = nil,
        headers: [(name: String, value: String)] = []
    ) throws(MailFault) {
        guard !to.isEmpty else { throw .noRecipient }
        guard to.count <= OutboundLimits.mailRecipients else { throw .tooManyRecipients }
        guard !subject.hasControlCharacters else { throw .badHeader("subject") }
        if let url = unsubscribe?.url {
            // It cannot be folded, and no line may pass 998 characters (RFC 5322 section 2.1.1).
            let isGood =
                url.utf8.count <= 900
                && url.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ">") }
            guard isGood else { throw .badHeader("List-Unsubscribe") }
        }
        for (name, value) in headers {
            let isName =
                !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }
            guard isName, !value.hasControlCharacters else {
                throw .badHeader(name.hasControlCharacters ? "name" : name)
            }
        }
        guard text.utf8.count + (html?.utf8.count ?? 0) <= OutboundLimits.mailBytes else { throw .tooLarge }
        (self.from, self.to, self.subject, self.text, self.html) = (from, to, subject, text, html)
        (self.replyTo, self.date, self.unsubscribe, self.headers) = (replyTo, date, unsubscribe, headers)
        messageId = "\(id)@\(from.domain)"
    }

    public func write(into out: ByteWriter) {
        writeHead(into: out)
        guard let html else {
            writePart("text/plain", text, into: out)
            return
        }
        // "=_" stands in no text that is quoted-printable, so the boundary cannot either (RFC 2045 section 6.7).
        let boundary = "=_" + messageId.prefix(36)
        out.write("Content-Type: multipart/alternative;\r\n boundary=\"\(boundary)\"\r\n\r\n")
        for (type, content) in [("text/plain", text), ("text/html", html)] {
            out.write("--\(boundary)\r\n")
            writePart(type, content, into: out)
            // The line end before a boundary belongs to the boundary, not to the text.
            out.write("\r\n")
        }
        out.write("--\(boundary)--\r\n")
    }

    public var bytes: [UInt8] {
        let out = ByteWriter(capacity: 2 * (text.utf8.count + (html?.utf8.count ?? 0)) + 1024)
        write(into: out)
        return out.array
    }

    private func writeHead(into out: ByteWriter) {
        var header = MailHeader(into: out)
        header.raw("Date", Self.date(date))
        header.mailboxes("From", [from])
        header.mailboxes("To", to)
        header.mailboxes("Reply-To", replyTo.map { [$0] } ?? [])
        header.text("Subject", subject)
        header.raw("Message-ID", "<\(messageId)>")
        if let unsubscribe {
            let address = unsubscribe.address.map { ", <mailto:\($0.address)>" } ?? ""
            header.raw("List-Unsubscribe", "<\(unsubscribe.url)>" + address)
            header.raw("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
        }
        for (name, value) in headers { header.text(name, value) }
        header.raw("MIME-Version", "1.0")
    }

    private func writePart(_ type: String, _ content: String, into out: ByteWriter) {
        out.write(
            "Content-Type: \(type); charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n")
        QuotedPrintable.write(content, into: out)
    }

    /// `Tue, 24 Nov 2026 06:09:12 +0000`
    private static func date(_ time: Timestamp) -> String {
        let seconds = time.seconds
        let days = Int(seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400)
        let (year, month, day) = LocalDate(daysSince1970: days).civil
        let ofDay = Int(seconds) - days * 86_400
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let clock = "\(two(ofDay / 3600)):\(two(ofDay / 60 % 60)):\(two(ofDay % 60))"
        // 1970-01-01 was a Thursday.
        let weekday = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][((days + 4) % 7 + 7) % 7]
        let monthName = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][
            month - 1]
        return "\(weekday), \(day) \(monthName) \(year) \(clock) +0000"
    }
}
