import Wire

/// What travels through the database's channel when an inbox has changed, and what a stream makes of it.
struct InboxFrame: Sendable {
    /// Whose inbox it is.
    struct Key: Hashable, Sendable {
        let company: UUID
        let user: UUID
    }

    enum Content: Sendable {
        /// A notification of this number; nil when it was too long to travel.
        case notification(Int64, [UInt8]?)
        /// Something was read, archived and so on; the number counts such changes.
        case change(Int64, [UInt8]?)
    }

    let key: Key
    let content: Content

    /// Reads `company|user|number|json`; the number of a change is negative.
    init?(payload: String) {
        let parts = payload.split(separator: "|", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, let company = UUID(parts[0]), let user = UUID(parts[1]),
            let number = Int64(parts[2])
        else { return nil }
        key = Key(company: company, user: user)
        let json = parts[3].isEmpty ? nil : parts[3]
        content =
            number < 0
            ? .change(-number, json.map { Self.bytes(event: "changed", id: nil, data: $0) })
            : .notification(number, json.map { Self.bytes(event: "notification", id: number, data: $0) })
    }

    /// One event as it goes over the wire; `data` is JSON on one line, as the database prints it.
    static func bytes(event: StaticString, id: Int64?, data: some StringProtocol) -> [UInt8] {
        let out = ByteWriter(capacity: data.utf8.count + 64)
        if let id {
            out.write("id: ")
            out.write(id)
            out.write("\n")
        }
        out.write("event: ")
        out.write(event)
        out.write("\ndata: ")
        out.write(String(data))
        out.write("\n\n")
        return out.array
    }
}
