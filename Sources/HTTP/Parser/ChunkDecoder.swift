import Wire

/// Takes the chunked coding off a body (RFC 9112 section 7.1), in whatever pieces it comes.
struct ChunkDecoder {
    private enum State: UInt8 {
        case sizeStart, size, space, extensions, quoted, escaped, sizeLF
        case data, dataCR, dataLF
        case trailerStart, trailerName, trailerValue, trailerLF, endLF
        case done
    }

    private var state = State.sizeStart
    private var digits: UInt8 = 0
    private var remaining = 0
    private var lineBytes = 0
    private var overheadBytes = 0
    private var trailerBytes = 0
    private var trailers = 0
    private(set) var contentBytes = 0

    var isDone: Bool { state == .done }

    /// Reads from `input` and calls `sink` with each run of content; returns how many bytes were read, which is all
    /// of them unless the body ended.
    mutating func decode(
        _ input: UnsafeRawBufferPointer, _ limits: Limits,
        _ sink: (UnsafeRawBufferPointer) throws(Refusal) -> Void
    ) throws(Refusal) -> Int {
        var at = 0
        while at < input.count, state != .done {
            if state == .data {
                let count = min(remaining, input.count - at)
                contentBytes += count
                guard contentBytes <= limits.bodyBytes else { throw .bodyTooLarge }
                try sink(UnsafeRawBufferPointer(rebasing: input[at..<at + count]))
                remaining -= count
                at += count
                if remaining == 0 { state = .dataCR }
                continue
            }
            try step(input[at], limits)
            overheadBytes += 1
            guard overheadBytes <= limits.chunkOverheadBytes + contentBytes / 8 else { throw .chunk }
            at += 1
        }
        return at
    }

    private mutating func step(_ byte: UInt8, _ limits: Limits) throws(Refusal) {
        switch state {
        case .sizeStart, .size, .space, .extensions, .quoted, .escaped, .sizeLF: try sizeLine(byte, limits)
        case .dataCR: state = try Self.expect(0x0D, byte, .dataLF)
        case .dataLF: state = try Self.expect(0x0A, byte, .sizeStart)
        case .trailerStart, .trailerName, .trailerValue, .trailerLF, .endLF: try trailer(byte, limits)
        case .data, .done: break
        }
    }

    private static func expect(_ wanted: UInt8, _ byte: UInt8, _ next: State) throws(Refusal) -> State {
        guard byte == wanted else { throw .chunk }
        return next
    }

    private mutating func sizeLine(_ byte: UInt8, _ limits: Limits) throws(Refusal) {
        if state == .sizeStart { lineBytes = 0 }
        lineBytes += 1
        guard lineBytes <= limits.chunkLineBytes else { throw .chunk }
        switch (state, byte) {
        case (.sizeStart, _):
            remaining = 0
            digits = 0
            try sizeDigit(byte)
            state = .size
        case (.quoted, UInt8(ascii: "\"")): state = .extensions
        case (.quoted, UInt8(ascii: "\\")): state = .escaped
        case (.quoted, _), (.escaped, _):
            guard Self.isText(byte) else { throw .chunk }
            state = .quoted
        case (.sizeLF, _):
            state = try Self.expect(0x0A, byte, remaining == 0 ? .trailerStart : .data)
        case (_, 0x0D): state = .sizeLF
        case (_, UInt8(ascii: ";")): state = .extensions
        case (.size, 0x20), (.size, 0x09), (.space, 0x20), (.space, 0x09): state = .space
        case (.size, _): try sizeDigit(byte)
        case (.extensions, UInt8(ascii: "\"")): state = .quoted
        case (.extensions, _):
            // Names, values, equals signs and the white space the grammar calls bad.
            guard FieldReader.isTokenByte(byte) || byte == UInt8(ascii: "=") || byte == 0x20 || byte == 0x09
            else { throw .chunk }
        default: throw .chunk
        }
    }

    private mutating func sizeDigit(_ byte: UInt8) throws(Refusal) {
        // Fifteen digits fit an Int with room to spare; leading zeros count.
        guard let value = Hex.value(of: byte), digits < 15 else { throw .chunk }
        digits += 1
        remaining = remaining << 4 | Int(value)
    }

    /// Trailer fields must be well formed and are dropped: nothing here reads one, and merging them is how they hurt.
    private mutating func trailer(_ byte: UInt8, _ limits: Limits) throws(Refusal) {
        trailerBytes += 1
        guard trailerBytes <= limits.trailerBytes else { throw .headTooLarge }
        switch (state, byte) {
        case (.trailerStart, 0x0D): state = .endLF
        case (.trailerStart, _):
            guard FieldReader.isTokenByte(byte) else { throw .field }
            trailers += 1
            guard trailers <= limits.fields else { throw .tooManyFields }
            state = .trailerName
        case (.trailerName, UInt8(ascii: ":")): state = .trailerValue
        case (.trailerName, _):
            guard FieldReader.isTokenByte(byte) else { throw .field }
        case (.trailerValue, 0x0D): state = .trailerLF
        case (.trailerValue, _):
            guard Self.isText(byte) else { throw .field }
        case (.trailerLF, _): state = try Self.expect(0x0A, byte, .trailerStart)
        case (.endLF, _): state = try Self.expect(0x0A, byte, .done)
        default: throw .chunk
        }
    }

    private static func isText(_ byte: UInt8) -> Bool { byte >= 0x20 && byte != 0x7F || byte == 0x09 }
}
