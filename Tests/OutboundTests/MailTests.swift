import Outbound
import Testing
import Wire

@Suite struct MailTests {
    private func message(
        subject: String = "Hi", text: String = "x", name: String? = nil, url: String? = nil,
        headers: [(name: String, value: String)] = []
    ) throws -> MIMEMessage {
        try MIMEMessage(
            from: Mailbox("a@example.com", name: name), to: [Mailbox("b@example.com")], subject: subject,
            text: text,
            unsubscribe: url.map { .init(url: $0) }, headers: headers)
    }

    private func lines(_ message: MIMEMessage) -> [String] {
        String(decoding: message.bytes, as: UTF8.self).split(
            separator: "\r\n", omittingEmptySubsequences: false
        ).map(String.init)
    }

    @Test func `a plain mail reads like one`() throws {
        let mail = try MIMEMessage(
            from: Mailbox("a@example.com", name: "Infinity"), to: [Mailbox("b@example.com")],
            subject: "Welcome, Ada",
            text: "One\nTwo", id: #require(UUID("0190a5b0-0000-7000-8000-000000000001")),
            date: Timestamp(seconds: 0))
        #expect(
            lines(mail) == [
                "Date: Thu, 1 Jan 1970 00:00:00 +0000", "From: Infinity <a@example.com>", "To: b@example.com",
                "Subject: Welcome, Ada", "Message-ID: <0190a5b0-0000-7000-8000-000000000001@example.com>",
                "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
                "Content-Transfer-Encoding: quoted-printable", "", "One", "Two", "",
            ])
    }

    @Test(arguments: ["a\r\nBcc: x@y.z", "a\nb", "a\rb", "a\0b", "a\u{85}b", "a\u{7F}"])
    func `no header can be smuggled in`(evil: String) {
        #expect(throws: MailFault.badHeader("subject")) { try message(subject: evil) }
        #expect(throws: MailFault.badHeader("name")) { try message(name: evil) }
        #expect(throws: MailFault.badHeader("List-Unsubscribe")) { try message(url: "https://x/" + evil) }
        #expect(throws: MailFault.badHeader("X-A")) { try message(headers: [("X-A", evil)]) }
        #expect(throws: MailFault.self) { try message(headers: [(evil, "x")]) }
        #expect(throws: MailFault.badAddress) { try Mailbox("a\(evil)@example.com") }
    }

    @Test(arguments: [
        "a@b.co", "first.last+tag@sub.example.org", "o'neil@example.org", "zoë@exämple.org", "a@localhost",
        "x_y@1.example",
    ])
    func `an address is taken`(text: String) throws { #expect(try Mailbox(text).address == text) }

    @Test(arguments: [
        "", "a", "@", "a@", "@b", "a b@c.de", "a@b c", "<a@b.de>", "a@b..de", "a@.b", "a@b.", ".a@b.de",
        "a.@b.de",
        "\"a b\"@c.de", "a@[127.0.0.1]", "a@-b.de", "a@b-.de", "a,b@c.de", "a@b@c.de", "a>b@c.de",
        "a@b.de\r\nDATA",
    ])
    func `what is no address is refused`(text: String) {
        #expect(throws: MailFault.badAddress) { try Mailbox(text) }
    }

    @Test func `an address has its longest`() throws {
        let local = String(repeating: "l", count: 64)
        #expect(try Mailbox(local + "@example.com").address.utf8.count == 76)
        #expect(throws: MailFault.badAddress) { try Mailbox("l" + local + "@example.com") }
        #expect(throws: MailFault.badAddress) {
            try Mailbox(
                "a@" + [String](repeating: String(repeating: "d", count: 60), count: 5).joined(separator: ".")
            )
        }
    }

    @Test(
        arguments: [
            ("Infinity <a@b.de>", "Infinity", "a@b.de"), ("a@b.de", nil, "a@b.de"),
            (" a@b.de ", nil, "a@b.de"),
            ("\"In, Finity\" <a@b.de>", "In, Finity", "a@b.de"), ("<a@b.de>", nil, "a@b.de"),
            ("A <b> <a@b.de>", "A <b>", "a@b.de"),
        ] as [(String, String?, String)])
    func `a setting names a mailbox`(text: String, name: String?, address: String) throws {
        let mailbox = try Mailbox(parsing: text)
        #expect(mailbox.name == name)
        #expect(mailbox.address == address)
    }

    @Test func `no line of any mail is too long`() throws {
        let words = [
            "a", "ü", "\u{1F600}", "=", "=?", "\t", " ", ".", "word ", String(repeating: "x", count: 90),
        ]
        var state: UInt64 = 42
        func pick(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % count
        }
        for _ in 0..<100 {
            let text = (0..<pick(200)).map { _ in words[pick(words.count)] }.joined()
            let subject = String(text.unicodeScalars.filter { $0 != "\t" }.map(Character.init))
            let mail = try message(subject: subject, text: text, name: subject)
            let bad = lines(mail).filter { line in
                line.utf8.count > 76 || !line.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F || $0 == 0x09 }
                    || line.hasSuffix(" ") && line != "Subject: "
            }
            #expect(bad == [])
        }
    }

    @Test func `nobody can be written to by a mail to nobody`() throws {
        let from = try Mailbox("a@example.com")
        #expect(throws: MailFault.noRecipient) { try MIMEMessage(from: from, to: [], subject: "", text: "") }
        let many = [Mailbox](repeating: from, count: OutboundLimits.mailRecipients + 1)
        #expect(throws: MailFault.tooManyRecipients) {
            try MIMEMessage(from: from, to: many, subject: "", text: "")
        }
        #expect(throws: MailFault.tooLarge) {
            try message(text: String(repeating: "x", count: OutboundLimits.mailBytes + 1))
        }
    }

    @Test func `a mail server is read from its URL`() throws {
        let plain = try MailServer("smtp://mail.example.org")
        #expect((plain.host, plain.port) == ("mail.example.org", 587))
        #expect(plain.startTLS == .offered)
        let full = try MailServer(
            "smtp://us%40er:p%3Aw%2F@mail.example.org:2525?starttls=off&auth=login&name=me.example&ca=/a/b.pem"
        )
        #expect((full.user, full.password) == ("us@er", "p:w/"))
        #expect(full.port == 2525)
        #expect((full.startTLS, full.mechanism) == (.off, .login))
        #expect((full.ownName, full.certificateAuthorities) == ("me.example", "/a/b.pem"))
        #expect(full.address == "smtp://mail.example.org:2525")
        let secure = try MailServer("smtps://u:p@[::1]")
        #expect(
            (secure.host, secure.port, secure.isImplicitlyEncrypted, secure.startTLS) == (
                "::1", 465, true, .required
            ))
    }

    @Test(arguments: [
        ("http://a", MailServer.Fault.notSMTP), ("", .notSMTP), ("mail.example.org", .notSMTP),
        ("smtp://", .notSMTP),
        ("smtp://a?tls=on", .unknownOption("tls")), ("smtp://a?starttls=maybe", .badValue("starttls")),
        ("smtp://a?starttls", .badValue("starttls")), ("smtp://a?auth=ntlm", .badValue("auth")),
        ("smtp://a?name=", .badValue("name")), ("smtp://a?name=a/b", .badValue("name")),
        ("smtp://a?auth=plain&auth=login", .badValue("auth")), ("smtp://a b", .notSMTP),
        ("smtp://a:x", .notSMTP),
    ])
    func `a mail URL with a slip is refused`(url: String, fault: MailServer.Fault) {
        #expect(throws: fault) { try MailServer(url) }
    }
}
