import Glibc
import Wire

@testable import HTTP

/// What libFuzzer calls with each input: its first byte chooses what the rest is thrown at.
///
/// Everything that can be cut into pieces is read whole and in pieces, and must come to the same. The bytes lie in a
/// block of exactly their length, so that AddressSanitizer sees a read beyond them.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    guard let start, count > 1 else { return 0 }
    let rest = UnsafeRawBufferPointer(start: start + 1, count: count - 1)
    switch start[0] % 8 {
    case 0: HeadTarget.run(rest)
    case 1: ChunkTarget.run(rest)
    case 2: MultipartTarget.run(rest)
    case 3: FieldTarget.run(rest)
    case 4: GzipTarget.run(rest)
    default: ConnectionTarget.run(rest)
    }
    return 0
}

enum HeadTarget {
    private static let limits = Limits()

    static func run(_ input: UnsafeRawBufferPointer) {
        let whole = find(input, step: input.count)
        precondition(whole == find(input, step: 1), "a head cut into bytes ends elsewhere")
        guard case .complete(let length) = whole else { return }
        precondition(length <= input.count)
        let head = UnsafeMutableRawBufferPointer.allocate(byteCount: length, alignment: 1)
        defer { head.deallocate() }
        head.copyMemory(from: UnsafeRawBufferPointer(rebasing: input[..<length]))
        var parser = HeadParser(fieldsMax: limits.fields)
        guard (try? parser.parse(head)) != nil else { return }
        let spans = [parser.path, parser.host, parser.query ?? .none]
        precondition(spans.allSatisfy { $0.range.upperBound <= length })
        let path = String(validating: head[parser.path.range], as: UTF8.self)!
        precondition(path == "*" || path.hasPrefix("/"))
        precondition(PercentEncoding.decode(path) != nil, "a path was let through that does not decode")
        for index in 0..<parser.fieldCount {
            let value = head[parser.fields[index].value.range]
            precondition(!value.contains { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F })
        }
        if let query = parser.query {
            _ = try? FormFields(UnsafeRawBufferPointer(rebasing: head[query.range]))
        }
    }

    private static func find(_ input: UnsafeRawBufferPointer, step: Int) -> HeadEnd.Answer {
        var end = HeadEnd()
        var length = 0
        var answer = HeadEnd.Answer.incomplete
        while length < input.count, answer == .incomplete {
            length = min(length + step, input.count)
            answer = Exact.with(UnsafeRawBufferPointer(rebasing: input[..<length])) {
                end.find(in: $0, limits)
            }
        }
        // Which of two limits is passed first depends on where the input is cut; that one is passed does not.
        switch answer {
        case .refused(.headTooLarge), .refused(.lineTooLong), .refused(.lineEnding):
            return .refused(.headTooLarge)
        case .complete, .incomplete, .refused: return answer
        }
    }
}

enum ChunkTarget {
    static func run(_ input: UnsafeRawBufferPointer) {
        let whole = decode(input, step: input.count)
        for step in [1, 7] {
            precondition(decode(input, step: step) == whole, "a chunked body cut into pieces differs")
        }
    }

    private struct Outcome: Equatable {
        var content: [UInt8] = []
        var used = 0
        var isDone = false
        var refusal: Refusal?
    }

    private static func decode(_ input: UnsafeRawBufferPointer, step: Int) -> Outcome {
        var limits = Limits()
        limits.bodyBytes = 1 << 16
        var decoder = ChunkDecoder()
        var outcome = Outcome()
        while outcome.used < input.count, !decoder.isDone, outcome.refusal == nil {
            let piece = UnsafeRawBufferPointer(
                rebasing: input[outcome.used..<min(outcome.used + step, input.count)])
            Exact.with(piece) { piece in
                do throws(Refusal) {
                    outcome.used += try decoder.decode(piece, limits) { (run) throws(Refusal) in
                        outcome.content.append(contentsOf: run)
                    }
                } catch { outcome.refusal = error }
            }
        }
        outcome.isDone = decoder.isDone
        // How far it came before a refusal depends on the pieces.
        if outcome.refusal != nil { outcome = Outcome(refusal: outcome.refusal) }
        return outcome
    }
}

enum MultipartTarget {
    static func run(_ input: UnsafeRawBufferPointer) {
        let bytes = Array(input)
        let whole = events(bytes, step: bytes.count)
        precondition(events(bytes, step: 1) == whole, "a form cut into bytes differs")
        precondition(events(bytes, step: 5) == whole, "a form cut into pieces differs")
    }

    /// Nil when it is refused.
    private static func events(_ bytes: [UInt8], step: Int) -> [MultipartParser.Event]? {
        do {
            var parser = try MultipartParser(
                boundary: "b", limits: MultipartLimits(partBytes: 1 << 12, totalBytes: 1 << 16, parts: 10))
            var all: [MultipartParser.Event] = []
            var at = 0
            while at < bytes.count {
                for event in try parser.read(Array(bytes[at..<min(at + step, bytes.count)])) {
                    if case .bytes(let more) = event, case .bytes(let before)? = all.last {
                        all[all.count - 1] = .bytes(before + more)
                    } else {
                        all.append(event)
                    }
                }
                at += step
            }
            try parser.end()
            return all
        } catch { return nil }
    }
}

enum FieldTarget {
    static func run(_ input: UnsafeRawBufferPointer) {
        Exact.with(input) { input in
            let accepted = AcceptEncoding(input)
            precondition((0...1000).contains(accepted.gzip) && (0...1000).contains(accepted.identity))
            _ = try? FormFields(input)
            if let decoded = PercentEncoding.decode(input) { precondition(decoded.count <= input.count) }
        }
        let text = String(decoding: input, as: UTF8.self)
        _ = MediaType(text)
        _ = ContentDisposition(text)
        _ = Cookies(text)
        _ = EntityTagCondition(text)
        if let tag = EntityTag(parsing: text) { precondition(EntityTag(parsing: tag.description) == tag) }
        if let time = HTTPDate.parse(text) { precondition(HTTPDate.parse(HTTPDate.string(time)) == time) }
        if case .part(let range) = ByteRange(text, length: 1000) {
            precondition(!range.isEmpty && range.lowerBound >= 0 && range.upperBound <= 1000)
        }
        let trusted = [AddressRange("10.0.0.0/8")!]
        _ = Forwarded(text)?.believed(peer: IPAddress(10, 0, 0, 1), trusted: trusted)
        _ = Forwarded(xForwardedFor: text, proto: text, host: text)?.believed(
            peer: IPAddress(10, 0, 0, 1), trusted: trusted)
        if let address = IPAddress(text) { precondition(IPAddress(address.description) == address) }
    }
}

enum GzipTarget {
    static func run(_ input: UnsafeRawBufferPointer) {
        let bytes = Array(input)
        if let content = try? Gzip.decompress(bytes, outputMax: 1 << 18) {
            precondition(content.count <= 1 << 18)
        }
        let zipped = Gzip.compress(bytes)
        precondition((try? Gzip.decompress(zipped, outputMax: bytes.count)) == bytes || bytes.count > 1 << 16)
    }
}

/// Lends a copy that ends where its memory ends.
enum Exact {
    static func with<Value>(_ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Value)
        -> Value
    {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { copy.deallocate() }
        copy.copyMemory(from: bytes)
        return body(UnsafeRawBufferPointer(copy))
    }
}
