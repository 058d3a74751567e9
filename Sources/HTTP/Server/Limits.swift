/// Every number the server holds its clients and itself to, with its reason; reaching one is an answer, not an accident.
public struct Limits: Sendable {
    // The head.

    /// 414 beyond. RFC 9112 section 3 asks for at least 8000.
    public var requestLineBytes = 8 << 10
    /// 431 beyond: request line and all fields. Twice what large cookies and a token take; offsets are 16 bits wide.
    public var headBytes = 32 << 10
    /// 431 beyond. Browsers behind three proxies send about 40.
    public var fields = 100
    /// Empty lines before a request line; RFC 9112 section 2.2 asks to forgive one left over from an old client.
    public var emptyLinesBefore = 2

    // The body.

    /// 413 beyond, whatever the route allows; the routes set their own, smaller ones.
    public var bodyBytes = 256 << 20
    /// Received and not yet read by the handler; beyond it the socket is left alone until the handler has caught up.
    public var bodyWindowBytes = 64 << 10
    /// One chunk-size line with its extensions; nobody sends extensions but attackers.
    public var chunkLineBytes = 256
    /// Chunk framing of one body beyond an eighth of its content, so that a body of one-byte chunks ends early.
    public var chunkOverheadBytes = 16 << 10
    public var trailerBytes = 4 << 10
    /// A refused body of at most this length is read over and the connection kept; a longer one costs the connection.
    public var skippedBodyBytes = 64 << 10
    /// What is read and thrown away after a last answer, so that a client that writes first can still read it.
    public var lingerBytes = 128 << 20

    // How much at once.

    /// 503 and close beyond, for all loops together. About 6 KiB each when idle.
    public var connections = 20_000
    /// 503 beyond: answers being worked on, for all loops together.
    public var requestsInFlight = 2_000
    /// Pipelined requests answered in one go before other connections get their turn; the rest waits in the socket.
    public var pipelinedAtOnce = 64
    /// Received but unparsed bytes behind a request being answered; then the socket is left alone.
    public var pipelinedBytes = 16 << 10
    /// Unsent bytes of a stream; its writer waits beyond them, so a slow reader costs this much and no more.
    public var unsentBytes = 64 << 10
    /// Bodies up to this many bytes are copied behind their head and leave in the same write.
    public var joinedBodyBytes = 16 << 10
    /// Of a file, sent in one turn before other connections get theirs.
    public var fileBytesAtOnce = 256 << 10
    /// Of a file, read off the loop for an encrypted connection.
    public var filePieceBytes = 64 << 10
    /// Pieces of files to read and bodies to compress that wait for a thread; one for each connection at most.
    public var workQueued = 1024
    /// Waiting in the kernel to be accepted; more than a burst of one turn.
    public var backlog: Int32 = 1024

    // How long.

    /// From the first byte of a head, or from connecting, to its end; not re-armed by each byte.
    public var head: Duration = .seconds(15)
    /// Between requests. Longer than the 60 s for which proxies keep idle upstream connections.
    public var idle: Duration = .seconds(75)
    /// In each such time a body must bring at least the rate below, or its end; earlier haste earns no later rest.
    public var body: Duration = .seconds(15)
    public var bodyBytesPerSecond = 1 << 10
    /// The same for an answer being read.
    public var write: Duration = .seconds(18)
    public var writeBytesPerSecond = 1 << 10
    /// A stream whose client has acknowledged nothing for so long, though something is on its way, is gone: what lies in
    /// the kernel counts too. Above the time a slow client takes to open its window again.
    public var streamStall: Duration = .seconds(60)
    public var handshake: Duration = .seconds(10)
    /// After the last answer, for the client to read it and close.
    public var linger: Duration = .seconds(15)
    /// The same while the server stops, which should not wait for clients that never close.
    public var drainingLinger: Duration = .seconds(1)
    /// A client that has closed its half gets answers for so long; a longer request was most likely given up.
    public var halfClosed: Duration = .seconds(5)
    /// Between comments on a silent event stream; proxies cut at 60 s, some mobile networks at 30 s.
    public var eventPing: Duration = .seconds(15)
    /// For the client told 503.
    public var retryAfterSeconds = 2
    /// No descriptor left: the listener rests so long instead of spinning.
    public var acceptRest: Duration = .milliseconds(100)

    // Compression.

    /// Smaller bodies do not shrink enough to pay for the work.
    public var gzipBytesMin = 1 << 10
    /// Larger ones are compressed off the loop, which this many would hold up for about a millisecond.
    public var gzipBytesOnLoop = 128 << 10
    /// Larger ones go out as they are; what is so large should be a stream.
    public var gzipBytesMax = 16 << 20

    public init() {}
}
