import Wire

/// Looks closely at a path that has percent signs or dots.
enum PathCheck {
    /// Refuses broken percent-encoding, control characters, bytes that are not UTF-8, and dot segments in any
    /// spelling; also an encoded slash separates, since something behind us may decode once more.
    static func check(_ path: UnsafeRawBufferPointer) throws(Refusal) {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(path.count)
        var at = 0
        while at < path.count {
            let byte = path[at]
            if byte != UInt8(ascii: "%") {
                decoded.append(byte)
                at += 1
                continue
            }
            guard at + 2 < path.count, let high = Hex.value(of: path[at + 1]),
                let low = Hex.value(of: path[at + 2])
            else { throw .target }
            decoded.append(high << 4 | low)
            at += 3
        }
        guard !decoded.contains(where: { $0 < 0x20 || $0 == 0x7F }),
            String(validating: decoded, as: UTF8.self) != nil,
            !hasDotSegment(decoded)
        else { throw .path }
    }

    private static func hasDotSegment(_ path: [UInt8]) -> Bool {
        let dot = UInt8(ascii: ".")
        return path.split(separator: UInt8(ascii: "/")).contains { $0 == [dot] || $0 == [dot, dot] }
    }
}

/// `uri-host [ ":" port ]` of RFC 9110 section 7.2; any port.
enum HostCheck {
    static func isValid(_ host: UnsafeRawBufferPointer, _ classes: UnsafePointer<UInt8>) -> Bool {
        var at = 0
        if host.first == UInt8(ascii: "[") {
            guard let end = literalEnd(host) else { return false }
            at = end
        } else {
            while at < host.count, host[at] != UInt8(ascii: ":") {
                if host[at] == UInt8(ascii: "%") {
                    guard at + 2 < host.count, Hex.value(of: host[at + 1]) != nil,
                        Hex.value(of: host[at + 2]) != nil
                    else { return false }
                } else if classes[Int(host[at])] & ByteClass.host.rawValue == 0 {
                    return false
                }
                at += 1
            }
            // An http URI with an empty host must be refused (RFC 9110 section 4.2.1).
            guard at > 0 else { return false }
        }
        if at == host.count { return true }
        guard host[at] == UInt8(ascii: ":"), host.count - at <= 6 else { return false }
        return host[(at + 1)...].allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    }

    /// Where an IP literal ends; its inside is only checked for foreign characters.
    private static func literalEnd(_ host: UnsafeRawBufferPointer) -> Int? {
        guard let close = host.firstIndex(of: UInt8(ascii: "]")), close > 2 else { return nil }
        let inside = host[1..<close]
        guard inside.contains(UInt8(ascii: ":")),
            inside.allSatisfy({
                Hex.value(of: $0) != nil || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".")
            })
        else { return nil }
        return close + 1
    }
}
