import Wire

/// Prints JSON values as YAML 1.2 that reads well: block style, quotes only where something else would be read.
public enum YAML {
    public static func text(of json: JSON) -> String {
        let writer = Writer()
        writer.write(json, indent: 0, isInline: false)
        return writer.out.string
    }

    private final class Writer {
        let out = ByteWriter(capacity: 64 << 10)

        func write(_ json: JSON, indent: Int, isInline: Bool) {
            switch json {
            case .object(let object) where !object.isEmpty: members(object, indent, isInline)
            case .array(let items) where !items.isEmpty: self.items(items, indent, isInline)
            default: scalar(json, indent)
            }
        }

        /// - Parameter isInline: the first member stands on the line that is begun already, behind a dash.
        private func members(_ object: JSON.Object, _ indent: Int, _ isInline: Bool) {
            for (index, member) in object.members.enumerated() {
                if index > 0 || !isInline { spaces(indent) }
                out.write(YAML.plainOrQuoted(member.key))
                out.write(":")
                nested(member.value, indent)
            }
        }

        private func nested(_ value: JSON, _ indent: Int) {
            switch value {
            case .object(let object) where !object.isEmpty:
                out.write("\n")
                write(value, indent: indent + 2, isInline: false)
            case .array(let items) where !items.isEmpty:
                out.write("\n")
                write(value, indent: indent + 2, isInline: false)
            default:
                out.write(" ")
                scalar(value, indent)
            }
        }

        private func items(_ items: [JSON], _ indent: Int, _ isInline: Bool) {
            for (index, item) in items.enumerated() {
                if index > 0 || !isInline { spaces(indent) }
                out.write("- ")
                write(item, indent: indent + 2, isInline: true)
            }
        }

        private func scalar(_ json: JSON, _ indent: Int) {
            switch json {
            case .string(let text): string(text, indent)
            case .object: out.write("{}\n")
            case .array: out.write("[]\n")
            default:
                out.write(json)
                out.write("\n")
            }
        }

        private func string(_ text: String, _ indent: Int) {
            guard YAML.isBlock(text) else {
                out.write(YAML.plainOrQuoted(text))
                out.write("\n")
                return
            }
            out.write("|-\n")
            for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
                if !line.isEmpty {
                    spaces(indent + 2)
                    out.write(line)
                }
                out.write("\n")
            }
        }

        private func spaces(_ count: Int) { for _ in 0..<count { out.write(UInt8(ascii: " ")) } }
    }

    /// Several lines that a literal block keeps as they are.
    private static func isBlock(_ text: String) -> Bool {
        guard text.utf8.contains(UInt8(ascii: "\n")), let first = text.utf8.first, let last = text.utf8.last
        else { return false }
        return first > 0x20 && last > 0x20 && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x0A }
    }

    static func plainOrQuoted(_ text: String) -> String {
        isPlain(text) ? text : JSON.string(text).description
    }

    /// Nothing but itself can be read from it. Rather one quote too many than a country code that becomes `false`.
    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.utf8.first,
            isLetter(first) || first == UInt8(ascii: "/") || first == UInt8(ascii: "_"),
            text.utf8.last != UInt8(ascii: " "), text.utf8.last != UInt8(ascii: ":"),
            !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(text.lowercased())
        else { return false }
        var before: UInt8 = 0
        for byte in text.utf8 {
            if before == UInt8(ascii: ":"), byte == 0x20 { return false }
            if byte == UInt8(ascii: "#"), before == 0x20 { return false }
            guard
                byte == 0x20
                    || byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
            else {
                return false
            }
            before = byte
        }
        return true
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (byte | 0x20) >= UInt8(ascii: "a") && (byte | 0x20) <= UInt8(ascii: "z")
    }
}
