/// Somebody's e-mail address with the name to show beside it.
public struct Mailbox: Hashable, Sendable {
    public let name: String?
    public let address: String

    /// Refuses an address that is no `local@domain` of plain letters, and any line break in either part: nothing a
    /// user typed may add a line to a mail's head or a command to the talk with the server.
    public init(_ address: String, name: String? = nil) throws(MailFault) {
        guard !address.hasControlCharacters, Self.isAddress(address) else { throw .badAddress }
        self.address = address
        if let name, !name.isEmpty {
            guard !name.hasControlCharacters else { throw .badHeader("name") }
            self.name = name
        } else {
            self.name = nil
        }
    }

    /// Reads `Name <address>`, `"Name" <address>` or a bare address.
    public init(parsing text: String) throws(MailFault) {
        guard let open = text.lastIndex(of: "<"), text.last == ">" else {
            try self.init(text.trimmingSpaces)
            return
        }
        var name = String(text[..<open]).trimmingSpaces
        if name.count >= 2, name.first == "\"", name.last == "\"" {
            name = String(name.dropFirst().dropLast())
        }
        try self.init(String(text[text.index(after: open)...].dropLast()), name: name)
    }

    /// The domain part.
    public var domain: Substring { address[address.index(after: address.lastIndex(of: "@")!)...] }

    private static func isAddress(_ text: String) -> Bool {
        guard text.utf8.count <= OutboundLimits.mailAddressBytes, let at = text.lastIndex(of: "@") else {
            return false
        }
        let local = text[..<at].utf8
        let labels = text[text.index(after: at)...].split(separator: ".", omittingEmptySubsequences: false)
        // Quoted local parts and address literals are left out: nobody has them, and their escapes are traps.
        let isLocalGood =
            (1...OutboundLimits.mailLocalPartBytes).contains(local.count) && local.first != UInt8(ascii: ".")
            && local.last != UInt8(ascii: ".") && local.allSatisfy(isLocalByte)
        return isLocalGood
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                    && label.utf8.allSatisfy(isDomainByte)
            }
    }

    /// Letters beyond ASCII are fine: the server is asked for SMTPUTF8 then.
    private static func isLocalByte(_ byte: UInt8) -> Bool {
        byte >= 0x80 || isDomainByte(byte) || "!#$%&'*+/=?^_`{|}~.".utf8.contains(byte)
    }

    private static func isDomainByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), 0x80...0xFF:
            true
        default: false
        }
    }
}

/// Why a mail cannot be made of what was given.
public enum MailFault: Error, Equatable {
    case badAddress
    /// A line break or another control character where none may be.
    case badHeader(String)
    case noRecipient
    case tooManyRecipients
    case tooLarge
}

extension String {
    var hasControlCharacters: Bool {
        unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }
    }

    var trimmingSpaces: String {
        let rest = drop { $0 == " " }
        guard let last = rest.lastIndex(where: { $0 != " " }) else { return "" }
        return String(rest[...last])
    }
}
