import Mustache
import Wire

/// Turns a template and its values into a mail: the subject, the text, and the same text as HTML.
public struct MailRenderer: Sendable {
    public struct Rendered: Sendable, Equatable {
        public let subject: String
        public let text: String
        public let html: String
    }

    /// A value that the template needs was not given.
    public struct MissingValue: Error, CustomStringConvertible {
        public let template: MailTemplate
        public let key: String
        public var description: String { "the mail \(template.rawValue) needs the value \(key)" }
    }

    /// The languages mails are written in; the first is the one all others fall back to.
    public static let locales = ["en", "de"]

    /// `de-AT` falls back to `de`, and what is not spoken to English.
    public static func spoken(_ locale: String) -> String {
        let language = locale.lowercased().split(whereSeparator: { $0 == "-" || $0 == "_" }).first.map(
            String.init)
        return locales.first { $0 == language } ?? locales[0]
    }

    public static func render(
        _ template: MailTemplate, locale: String, context: [String: String]
    ) throws -> Rendered {
        if let missing = template.keys.first(where: { context[$0] == nil }) {
            throw MissingValue(template: template, key: missing)
        }
        let locale = spoken(locale)
        let mail = locale == "de" ? MailText.german(template) : .english(template)
        let phrases = locale == "de" ? MailText.germanPhrases : MailText.englishPhrases
        let values = context.mapValues { readable($0, phrases) }
        return Rendered(
            subject: try oneLine(plain(mail.subject, values)),
            text: try text(mail, phrases, values),
            html: try html(mail, phrases, values))
    }

    private static func text(_ mail: MailText, _ phrases: MailPhrases, _ values: [String: String]) throws
        -> String
    {
        var parts: [String] = []
        if values["name"] != nil { parts.append(try plain(phrases.greeting, values)) }
        parts += paragraphs(of: try plain(mail.body, values))
        if let action = mail.action, let link = values["link"] {
            parts.append("\(try plain(action, values)):\n\(link)")
        }
        if values["code"] != nil { parts.append(try plain(phrases.code, values)) }
        let unsubscribe = values["unsubscribe"].map { "\n\(phrases.unsubscribe): \($0)" } ?? ""
        parts.append("-- \n\(phrases.footer)\(unsubscribe)")
        return parts.joined(separator: "\n\n") + "\n"
    }

    private static func html(_ mail: MailText, _ phrases: MailPhrases, _ values: [String: String]) throws
        -> String
    {
        var paragraphs: [String] = []
        if values["name"] != nil { paragraphs.append(try escaped(phrases.greeting, values)) }
        paragraphs += Self.paragraphs(of: try escaped(mail.body, values))
        let layout = try MustacheTemplate(string: Self.layout)
        return layout.render(
            [
                "subject": try plain(mail.subject, values),
                "paragraphs": paragraphs,
                "buttons": try button(mail, values),
                "codes": values["code"] == nil ? [] : [try escaped(phrases.code, values)],
                "footer": phrases.footer,
                "unsubscribes": values["unsubscribe"].map { [["label": phrases.unsubscribe, "link": $0]] }
                    ?? [],
            ] as [String: Any])
    }

    /// None or one, as Mustache likes its sections.
    private static func button(_ mail: MailText, _ values: [String: String]) throws -> [[String: String]] {
        guard let action = mail.action, let link = values["link"] else { return [] }
        return [["label": try plain(action, values), "link": link]]
    }

    private static func plain(_ template: String, _ values: [String: String]) throws -> String {
        try MustacheTemplate(string: "{{% CONTENT_TYPE:TEXT}}\(template)").render(values)
    }

    private static func escaped(_ template: String, _ values: [String: String]) throws -> String {
        try MustacheTemplate(string: template).render(values)
    }

    private static func paragraphs(of text: String) -> [String] {
        var paragraphs: [[Substring]] = [[]]
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.allSatisfy(\.isWhitespace) {
                paragraphs.append([])
            } else {
                paragraphs[paragraphs.count - 1].append(line)
            }
        }
        return paragraphs.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }
    }

    /// A subject is one line: a name with a line break in it must not start a header of its own.
    private static func oneLine(_ text: String) -> String {
        String(text.map { $0.isNewline || $0 == "\0" ? " " : $0 })
    }

    /// Times come as RFC 3339 and are read by people.
    private static func readable(_ value: String, _ phrases: MailPhrases) -> String {
        guard value.utf8.count >= 20, let time = Timestamp(value) else { return value }
        let days = Int((Double(time.seconds) / 86_400).rounded(.down))
        let (year, month, day) = LocalDate(daysSince1970: days).civil
        let minutes = (Int(time.seconds) - days * 86_400) / 60
        let clock = [minutes / 60, minutes % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
        return "\(day)\(phrases.dayMark) \(phrases.months[month - 1]) \(year), \(clock) UTC"
    }

    private static let layout = """
        <!doctype html>
        <html>
        <head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{subject}}</title></head>
        <body style="margin:0;background:#f4f5f7;color:#1c2430;font:16px/1.5 system-ui,sans-serif">
        <div style="max-width:560px;margin:32px auto;padding:32px;background:#ffffff;border-radius:8px">
        {{#paragraphs}}
        <p style="margin:0 0 16px">{{{.}}}</p>
        {{/paragraphs}}
        {{#buttons}}
        <p style="margin:24px 0"><a href="{{link}}" style="background:#2455d6;color:#ffffff;padding:12px 20px;\
        border-radius:6px;text-decoration:none">{{label}}</a></p>
        {{/buttons}}
        {{#codes}}
        <p style="margin:0 0 16px;font-weight:600">{{{.}}}</p>
        {{/codes}}
        <p style="margin:32px 0 0;font-size:13px;color:#667085">{{footer}}\
        {{#unsubscribes}} <a href="{{link}}" style="color:#667085">{{label}}</a>{{/unsubscribes}}</p>
        </div>
        </body>
        </html>

        """
}
