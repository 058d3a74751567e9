import Loop
import Outbound
import Testing
import Wire

private let loops = LoopGroup(count: 1)

/// One server for each set of its arguments: Python takes half a second to start.
// nonisolated(unsafe): the tests of the one suite that uses it run one after another.
nonisolated(unsafe) private var servers: [[String]: PythonServer] = [:]

@Suite(.serialized, .timeLimit(.minutes(2))) struct SMTPClientTests {
    private func server(_ arguments: String...) throws -> PythonServer {
        if let running = servers[arguments] { return running }
        let started = try PythonServer("smtp_server.py", arguments)
        servers[arguments] = started
        return started
    }

    private func client(_ server: PythonServer, _ user: String = "", _ options: String = "") throws
        -> SMTPClient
    {
        let url = "smtp://\(user)localhost:\(server.port)?ca=\(server.authority)\(options)"
        return SMTPClient(try MailServer(url), loop: loops.loops[0], totalDeadline: .seconds(20))
    }

    private func mail(to: String = "ada@example.org", text: String = "Hello.\n") throws -> MIMEMessage {
        try MIMEMessage(
            from: Mailbox("no-reply@example.com", name: "Infinity"), to: [Mailbox(to)], subject: "Hi",
            text: text)
    }

    /// What the server took since it was last asked, the newest.
    private func received(_ server: PythonServer) throws -> JSON {
        var line = try #require(server.readLine(), "no mail came")
        while let newer = server.readLine(seconds: 0) { line = newer }
        return try JSON.parse(line)
    }

    @Test func `a mail arrives as its makers meant it`() async throws {
        let server = try server()
        let text =
            ".dot\r\n..two\nnaïve = 100 %\ntrailing blank \n" + String(repeating: "long ", count: 400)
            + "\nend"
        let html =
            "<p>Zoë &amp; \u{1F600}</p>\n<p style=\"x\">" + String(repeating: "y", count: 3000) + "</p>\n"
        let message = try MIMEMessage(
            from: Mailbox("no-reply@example.com", name: "Zoë, \"the\" Ünïcode"),
            to: [Mailbox("ada@example.org", name: "Ada; <Countess>"), Mailbox("bob@example.org")],
            subject: "Grüße \u{1F600} " + String(repeating: "sehr lange Wörter ", count: 20) + "Ende",
            text: text, html: html,
            replyTo: Mailbox("help@example.com"), date: Timestamp(seconds: 784_111_777),
            unsubscribe: .init(url: "https://example.com/u/abc?x=1", address: Mailbox("u@example.com")),
            headers: [("X-Campaign", "spring")])
        #expect(try await client(server).send(message) == .accepted)
        let mail = try received(server)
        #expect(mail["defects"] == [])
        #expect(mail["from"] == "no-reply@example.com")
        #expect(mail["to"] == ["ada@example.org", "bob@example.org"])
        #expect(mail["shown"] == ["Zoë, \"the\" Ünïcode", "Ada; <Countess>", ""])
        let headers = try #require(mail["headers"]?.objectValue)
        #expect(headers["Subject"]?.stringValue == message.subject)
        #expect(headers["Date"] == "Sun, 06 Nov 1994 08:49:37 +0000")
        #expect(headers["Message-ID"]?.stringValue == "<\(message.messageId)>")
        #expect(headers["Reply-To"] == "help@example.com")
        #expect(headers["List-Unsubscribe"] == "<https://example.com/u/abc?x=1>, <mailto:u@example.com>")
        #expect(headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click")
        #expect(headers["X-Campaign"] == "spring")
        let lines = text.replacingLineEnds + "\n"
        #expect(mail["parts"] == [["text/plain", .string(lines)], ["text/html", .string(html)]])
        let content = try #require(mail["content"]?.stringValue)
        #expect(content.split(separator: "\r\n").filter { $0.utf8.count > 76 } == [])
    }

    @Test func `a connection serves several mails`() async throws {
        let server = try server()
        let client = try client(server)
        var peers: [JSON?] = []
        for _ in 0..<3 {
            #expect(await client.send(try mail()) == .accepted)
            peers.append(try received(server)["peer"])
        }
        #expect(Set(peers).count == 1)
    }

    @Test(arguments: [
        ("reject@example.org", "550 5.1.1 no such person"),
        ("data-reject@example.org", "554 5.7.1 looks like spam"),
    ])
    func `a refusal for good says so`(recipient: String, reply: String) async throws {
        let server = try server()
        #expect(try await client(server).send(mail(to: recipient)) == .permanentFailure(reply))
    }

    @Test(arguments: [
        ("later@example.org", "451 4.3.0 try again later"),
        ("data-later@example.org", "452 4.2.2 mailbox full"),
    ])
    func `a refusal for now says so`(recipient: String, reply: String) async throws {
        let server = try server()
        #expect(try await client(server).send(mail(to: recipient)) == .temporaryFailure(reply))
    }

    @Test func `the client goes on after a refusal`() async throws {
        let server = try server()
        let client = try client(server)
        #expect(
            await client.send(try mail(to: "reject@example.org"))
                == .permanentFailure("550 5.1.1 no such person"))
        #expect(await client.send(try mail()) == .accepted)
        #expect(try received(server)["to"] == ["ada@example.org"])
    }

    @Test func `a mail beyond the server's size is refused before it is sent`() async throws {
        let server = try server()
        let outcome = try await client(server).send(mail(text: String(repeating: "x", count: 300_000)))
        guard case .permanentFailure(let reply) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(reply.hasPrefix("552"))
    }

    @Test func `a broken line or a dead server is for now`() async throws {
        let server = try server()
        #expect(try await client(server).send(mail(to: "hang-up@example.org")).isTemporary)
        let nobody = SMTPClient(try MailServer("smtp://127.0.0.1:1"), loop: loops.loops[0])
        #expect(await nobody.send(try mail()) == .temporaryFailure("the mail server does not answer"))
        let nowhere = SMTPClient(try MailServer("smtp://nothing.invalid"), loop: loops.loops[0])
        #expect(await nowhere.send(try mail()) == .temporaryFailure("the mail server's name has no address"))
    }

    @Test(arguments: ["", "&auth=plain", "&auth=login"])
    func `signing in happens under encryption`(options: String) async throws {
        let server = try server("starttls", "auth")
        #expect(try await client(server, "mailer:s3cret%20pass@", options).send(mail()) == .accepted)
        let mail = try received(server)
        #expect(mail["tls"] == true)
        #expect(mail["user"] == "mailer")
    }

    @Test func `a server that knows LOGIN alone will do`() async throws {
        let server = try server("starttls", "auth", "login-only")
        #expect(try await client(server, "mailer:s3cret%20pass@").send(mail()) == .accepted)
    }

    @Test func `a wrong password is the operator's matter, not the mail's`() async throws {
        let server = try server("starttls", "auth")
        let outcome = try await client(server, "mailer:wrong@").send(mail())
        #expect(outcome.isTemporary)
        #expect("\(outcome)".contains("refused user and password"))
        #expect(!"\(outcome)".contains("wrong"))
        #expect(try await client(server).send(mail()).isTemporary)
    }

    @Test func `a password never travels in the clear`() async throws {
        let server = try server("auth")
        let outcome = try await client(server, "mailer:s3cret%20pass@").send(mail())
        #expect(outcome == .temporaryFailure("the mail server does not offer encryption"))
        #expect(try await client(server, "mailer:s3cret%20pass@", "&starttls=off").send(mail()) == .accepted)
    }

    @Test func `encryption is used when it is offered and demanded when it is required`() async throws {
        let able = try server("starttls")
        #expect(try await client(able).send(mail()) == .accepted)
        #expect(try received(able)["tls"] == true)
        #expect(try await client(able, "", "&starttls=off").send(mail()) == .accepted)
        #expect(try received(able)["tls"] == false)
        let unable = try server()
        #expect(try await client(unable).send(mail()) == .accepted)
        #expect(try await client(unable, "", "&starttls=required").send(mail()).isTemporary)
    }

    @Test func `encryption from the first byte checks the certificate`() async throws {
        let server = try server("implicit")
        let known = try MailServer("smtps://localhost:\(server.port)?ca=\(server.authority)")
        #expect(await SMTPClient(known, loop: loops.loops[0]).send(try mail()) == .accepted)
        let unknown = SMTPClient(try MailServer("smtps://localhost:\(server.port)"), loop: loops.loops[0])
        guard case .temporaryFailure(let reason) = await unknown.send(try mail()) else {
            Issue.record("a certificate of nobody was trusted")
            return
        }
        #expect(reason.hasPrefix("the connection to the mail server is not secure"))
    }

    @Test func `the settings can be checked without a mail`() async throws {
        let server = try server("starttls", "auth")
        #expect(try await client(server, "mailer:s3cret%20pass@").check() == .accepted)
        #expect(try await client(server, "mailer:wrong@").check().isTemporary)
    }

    @Test func `we call ourselves what the operator says`() async throws {
        let server = try server()
        #expect(try await client(server, "", "&name=mail.example.com").send(mail()) == .accepted)
        #expect(try received(server)["ehlo"] == "mail.example.com")
    }

    @Test func `letters of all scripts may stand in an address`() async throws {
        let server = try server()
        #expect(try await client(server).send(mail(to: "zoë@example.org")) == .accepted)
        #expect(try received(server)["to"] == ["zoë@example.org"])
    }
}

extension MailOutcome {
    fileprivate var isTemporary: Bool { if case .temporaryFailure = self { true } else { false } }
}

extension String {
    fileprivate var replacingLineEnds: String {
        split(separator: "\r\n", omittingEmptySubsequences: false).joined(separator: "\n")
    }
}
