/// Where the parts of a form go as they arrive: each `begin` is followed by any number of `write` and one `end`.
public protocol MultipartSink {
    mutating func begin(_ part: PartHead) async throws
    mutating func write(_ bytes: [UInt8]) async throws
    mutating func end() async throws
}

public enum Multipart {
    /// Reads a whole form from `next` into `sink`; nothing is read ahead of what the sink has taken.
    public static func read<Sink: MultipartSink>(
        contentType: MediaType, limits: MultipartLimits, into sink: inout Sink,
        next: () async throws -> [UInt8]?
    ) async throws {
        var parser = try MultipartParser(contentType: contentType, limits: limits)
        while let chunk = try await next() {
            for event in try parser.read(chunk) {
                switch event {
                case .part(let head): try await sink.begin(head)
                case .bytes(let bytes): try await sink.write(bytes)
                case .partEnd: try await sink.end()
                }
            }
        }
        try parser.end()
    }
}
