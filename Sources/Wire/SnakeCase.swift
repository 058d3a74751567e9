/// The one rule between Swift's names and the names of the wire and the tables: an underscore before each capital.
public enum SnakeCase {
    /// `ownerId` → `owner_id`; a name without capitals comes back as it is.
    public static func of(_ name: String) -> String {
        guard name.utf8.contains(where: isCapital) else { return name }
        var out = [UInt8]()
        out.reserveCapacity(name.utf8.count + 4)
        for byte in name.utf8 {
            if isCapital(byte) {
                if !out.isEmpty { out.append(UInt8(ascii: "_")) }
                out.append(byte | 0x20)
            } else {
                out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func isCapital(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
    }
}
