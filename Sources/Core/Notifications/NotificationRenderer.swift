import Mustache
import Wire

/// Fills in the texts of notifications. Companies write templates of their own, so each step has a bound.
public enum NotificationRenderer {
    /// Why a template cannot be used, in a sentence for its author.
    public struct Fault: Error, CustomStringConvertible, Sendable {
        public let description: String
    }

    /// A plain line or text: nothing is escaped.
    public static func plain(_ template: String, _ values: JSON) throws(Fault) -> String {
        try render("{{% CONTENT_TYPE:TEXT}}" + template, values, checking: template)
    }

    /// Refuses what is too long, too deep, reaches for other templates or is no Mustache at all.
    public static func check(_ template: String) throws(Fault) {
        guard template.utf8.count <= NotificationLimits.templateBytesMax else {
            throw Fault(description: "may have \(NotificationLimits.templateBytesMax) bytes")
        }
        var depth = 0
        for tag in template.split(separator: "{{", omittingEmptySubsequences: false).dropFirst() {
            switch tag.first {
            case "#", "^": depth += 1
            case "/": depth -= 1
            case ">", "<", "$", "%", "=":
                throw Fault(description: "may hold values and sections alone, not {{\(tag.prefix(20))")
            default: break
            }
            guard depth <= NotificationLimits.templateDepthMax else {
                throw Fault(description: "may nest \(NotificationLimits.templateDepthMax) sections")
            }
        }
        guard depth == 0 else { throw Fault(description: "has a section that does not begin or end") }
        do { _ = try MustacheTemplate(string: template) } catch {
            throw Fault(description: "is no Mustache template: \(error)")
        }
    }

    private static func render(
        _ text: String, _ values: JSON, checking template: String
    ) throws(Fault) -> String {
        try check(template)
        let compiled: MustacheTemplate
        do { compiled = try MustacheTemplate(string: text) } catch {
            throw Fault(description: "is no Mustache template: \(error)")
        }
        let rendered = compiled.render(values.plain ?? [String: Any]())
        guard rendered.utf8.count <= NotificationLimits.renderedBytesMax else {
            throw Fault(description: "grows beyond \(NotificationLimits.renderedBytesMax) bytes")
        }
        return rendered
    }

    /// What is there in the reader's language, in its parent's (`de-AT` → `de`), or in English.
    public static func spoken<Value>(_ texts: [String: Value], _ locale: String) -> Value {
        let lowered = locale.lowercased()
        let language =
            lowered.split(whereSeparator: { $0 == "-" || $0 == "_" }).first.map(String.init) ?? "en"
        guard let found = texts[lowered] ?? texts[language] ?? texts["en"] else {
            preconditionFailure("English is always there")
        }
        return found
    }

    /// A title is one line: a value with a line break in it must not begin another.
    static func oneLine(_ text: String) -> String {
        String(text.prefix(NotificationLimits.titleLengthMax).map { $0.isNewline || $0 == "\0" ? " " : $0 })
    }
}

extension JSON {
    /// As Mustache reads it.
    fileprivate var plain: Any? {
        switch self {
        case .null: nil
        case .bool(let value): value
        case .number(let number): number.text
        case .string(let text): text
        case .array(let items): items.compactMap(\.plain)
        case .object(let object):
            Dictionary(object.members.compactMap { key, value in value.plain.map { (key, $0) } }) { _, last in
                last
            }
        }
    }
}
