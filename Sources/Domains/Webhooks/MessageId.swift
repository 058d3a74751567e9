import Wire

/// A message's identifier in its two forms, and where in the ring of months its rows are.
struct MessageId {
    let uuid: UUID

    init(_ uuid: UUID) { self.uuid = uuid }

    /// Reads `msg_…` or the bare UUID.
    init?(_ text: String) {
        guard text.hasPrefix("msg_") else {
            guard let uuid = UUID(text) else { return nil }
            self.init(uuid)
            return
        }
        guard let bytes = Hex.decode(text.dropFirst(4)), bytes.count == 16,
            let uuid = bytes.withUnsafeBytes({ UUID(bytes: $0) })
        else { return nil }
        self.init(uuid)
    }

    /// As receivers see it in `webhook-id`.
    var text: String { "msg_" + Hex.encode(uuid.bytes) }

    /// A UUIDv7 begins with the milliseconds since 1970.
    var time: Timestamp { Timestamp(microseconds: Int64(uuid.high >> 16) * 1000) }

    var slot: Int { Self.slot(of: Self.month(of: time)) }

    static let slots = 4

    static func month(of time: Timestamp) -> Int {
        let (year, month, _) = LocalDate(daysSince1970: Int(time.seconds / 86_400)).civil
        return year * 12 + month - 1
    }

    static func slot(of month: Int) -> Int { month % slots }

    /// The least identifier a message of this time can have.
    static func least(at time: Timestamp) -> UUID {
        UUID(high: UInt64(max(0, time.microseconds / 1000)) << 16, low: 0)
    }
}
