import Testing

@testable import Core

@Suite struct MailRendererTests {
    static let sample: [String: String] = [
        "name": "Ada", "link": "https://infinity.example/x#secret-token", "code": "123456",
        "expires_at": "2026-11-24T09:30:00.000000Z", "address": "203.0.113.7",
        "at": "2026-11-24T09:30:00.000000Z",
        "reset_link": "https://infinity.example/reset", "device": "Firefox on Linux",
        "new_email": "new@example.com",
        "provider": "GitHub", "key_name": "CI", "company": "Aurora Studio",
        "inviter": "Grace", "actor": "Grace", "reason": "To see what you see",
        "roles": "Manager, Member", "member": "Linus", "invited_email": "linus@example.com",
        "requester": "Margaret", "unsubscribe": "https://infinity.example/letters/stop",
        "subject": "Linus has joined", "body": "Linus has accepted your invitation.", "new_owner": "Grace",
        "delete_after": "2026-12-24T09:30:00.000000Z",
    ]

    @Test(arguments: MailTemplate.allCases, MailRenderer.locales)
    func `every mail in every language is whole, as text and as HTML`(
        _ template: MailTemplate, _ locale: String
    ) throws {
        let context = Self.sample.filter { template.keys.contains($0.key) }
        let mail = try MailRenderer.render(template, locale: locale, context: context)
        #expect(!mail.subject.isEmpty && !mail.subject.contains("{{"))
        for part in [mail.text, mail.html] {
            #expect(!part.contains("{{") && !part.contains("}}"))
            for key in template.keys where !["expires_at", "at", "delete_after"].contains(key) {
                #expect(
                    part.contains(context[key]!) || mail.subject.contains(context[key]!), "\(key) is not told"
                )
            }
        }
        #expect(mail.html.hasPrefix("<!doctype html>") && mail.html.contains("</html>"))
    }

    @Test func `a mail that lacks a value is not written`() {
        #expect(throws: MailRenderer.MissingValue.self) {
            try MailRenderer.render(.passwordReset, locale: "en", context: ["name": "Ada"])
        }
    }

    @Test func `a language nobody speaks falls back to English, a region to its language`() throws {
        let context = Self.sample
        let english = try MailRenderer.render(.roleChanged, locale: "pt-BR", context: context)
        let german = try MailRenderer.render(.roleChanged, locale: "de-AT", context: context)
        #expect(english.subject.hasPrefix("Your role"))
        #expect(german.subject.hasPrefix("Ihre Rolle"))
    }

    @Test func `what people typed is text in the HTML and no line break in the subject`() throws {
        var context = Self.sample
        context["inviter"] = "<script>alert(1)</script>\r\nBcc: all@example.com"
        context["message"] = "Tom & Jerry <3"
        let mail = try MailRenderer.render(.invitation, locale: "en", context: context)
        #expect(!mail.html.contains("<script>"))
        #expect(mail.html.contains("Tom &amp; Jerry &lt;3"))
        #expect(mail.text.contains("Tom & Jerry <3"))
        #expect(!mail.subject.contains("\n") && !mail.subject.contains("\r"))
    }

    @Test func `times are written for people`() throws {
        let english = try MailRenderer.render(.accountDeleted, locale: "en", context: Self.sample)
        #expect(english.text.contains("24 November 2026, 09:30 UTC"))
        let deletion = try MailRenderer.render(.companyDeletion, locale: "de", context: Self.sample)
        #expect(deletion.text.contains("24. Dezember 2026, 09:30 UTC"))
    }
}
