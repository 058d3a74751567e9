import Wire

extension ByteWriter {
    /// Writes the value in the binary form of `type`; false, with nothing written, when it has none there.
    func writeBinary(_ value: SQLValue, _ type: UInt32) -> Bool {
        switch (value, type) {
        case (.uuid(let id), 2950):
            writeBigEndian(id.high)
            writeBigEndian(id.low)
        case (.integer(let number), 20): writeBigEndian(number)
        case (.integer(let number), 23):
            guard let number = Int32(exactly: number) else { return false }
            writeBigEndian(number)
        case (.integer(let number), 21):
            guard let number = Int16(exactly: number) else { return false }
            writeBigEndian(number)
        case (.integer(let number), 701): writeBigEndian(Double(number).bitPattern)
        case (.double(let number), 701): writeBigEndian(number.bitPattern)
        case (.bool(let flag), 16): write(UInt8(flag ? 1 : 0))
        case (.time(let time), 1184): writeBigEndian(time.microseconds &- Binary.epochMicroseconds)
        case (.date(let date), 1082):
            guard let days = Int32(exactly: date.daysSince1970 - Binary.epochDays) else { return false }
            writeBigEndian(days)
        case (.bytes(let bytes), 17): write(bytes)
        case (.uuids(let ids), 2951):
            writeArrayHead(element: 2950, count: ids.count)
            for id in ids {
                writeBigEndian(Int32(16))
                writeBigEndian(id.high)
                writeBigEndian(id.low)
            }
        case (.texts(let texts), 1009):
            writeArrayHead(element: 25, count: texts.count)
            for text in texts {
                writeBigEndian(Int32(text.utf8.count))
                write(text)
            }
        default: return false
        }
        return true
    }

    private func writeArrayHead(element type: Int32, count: Int) {
        writeBigEndian(Int32(count == 0 ? 0 : 1))
        writeBigEndian(Int32(0))
        writeBigEndian(type)
        guard count > 0 else { return }
        writeBigEndian(Int32(count))
        writeBigEndian(Int32(1))
    }

    private func writeBigEndian(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.bigEndian) { write($0) }
    }

    /// Writes the value as the input functions of its type read it.
    func writeText(_ value: SQLValue) {
        switch value {
        case .null: break
        case .bool(let flag): write(flag ? "t" : "f")
        case .integer(let number): write(number)
        case .double(let number): write(Self.text(number))
        case .text(let text): write(text)
        case .uuid(let id): write(id)
        case .time(let time): write(time)
        case .date(let date): write(date)
        case .bytes(let bytes):
            write("\\x")
            for byte in bytes { writeHex(byte) }
        case .texts(let texts): writeList(texts) { self.writeQuoted($0) }
        case .uuids(let ids): writeList(ids) { self.write($0) }
        case .integers(let numbers): writeList(numbers) { self.write($0) }
        }
    }

    private static func text(_ number: Double) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number < 0 ? "-Infinity" : "Infinity" }
        return number.description
    }

    private func writeHex(_ byte: UInt8) {
        let digits = ("0123456789abcdef" as StaticString).utf8Start
        write(digits[Int(byte >> 4)])
        write(digits[Int(byte & 15)])
    }

    private func writeList<Element>(_ elements: [Element], _ each: (Element) -> Void) {
        write("{")
        for (index, element) in elements.enumerated() {
            if index > 0 { write(",") }
            each(element)
        }
        write("}")
    }

    private func writeQuoted(_ text: String) {
        write("\"")
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { write(UInt8(ascii: "\\")) }
            write(byte)
        }
        write("\"")
    }
}
