import Wire

/// One line of the log being written: a JSON object that begins with time, level and message.
public struct JSONLine: ~Copyable {
    @usableFromInline let out: ByteWriter

    init(into out: ByteWriter, level: StaticString, message: String) {
        self.out = out
        out.write("{\"time\":\"")
        out.write(Timestamp.now)
        out.write("\",\"level\":\"")
        out.write(level)
        out.write("\",\"message\":")
        out.writeJSONString(message)
    }

    consuming func end(_ fields: (borrowing JSONLine) -> Void) {
        fields(self)
        out.write("}\n")
    }

    @inlinable public func text(_ key: StaticString, _ value: String) {
        begin(key)
        out.writeJSONString(value)
    }

    /// A text of our own that needs no escapes.
    @inlinable public func plain(_ key: StaticString, _ value: StaticString) {
        begin(key)
        out.write("\"")
        out.write(value)
        out.write("\"")
    }

    @inlinable public func text(_ key: StaticString, _ value: String?) {
        if let value { text(key, value) }
    }

    @inlinable public func number(_ key: StaticString, _ value: some FixedWidthInteger) {
        begin(key)
        out.write(value)
    }

    @inlinable public func uuid(_ key: StaticString, _ value: UUID?) {
        guard let value else { return }
        begin(key)
        out.write("\"")
        out.write(value)
        out.write("\"")
    }

    /// A length of time in milliseconds with three decimals.
    @inlinable public func milliseconds(_ key: StaticString, nanoseconds: UInt64) {
        begin(key)
        out.write(nanoseconds / 1_000_000)
        out.write(".")
        out.writePadded(Int(nanoseconds / 1000 % 1000), width: 3)
    }

    @inlinable func begin(_ key: StaticString) {
        out.write(",\"")
        out.write(key)
        out.write("\":")
    }
}
