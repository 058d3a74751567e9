/// The limits of what goes out, each with its reason.
public enum OutboundLimits {
    /// Bytes of a response that wait for their reader before the peer is told to pause: two of libcurl's reads.
    static let unreadBytes = 32 << 10
    /// All header lines of a response; honest ones stay under 8 KiB, with cookies under 16.
    static let responseHeadBytes = 64 << 10
    /// A name's vetted addresses are used again for so long, so that a busy host is not asked for on each request;
    /// longer would outlive the records of load balancers.
    static let nameSeconds: UInt64 = 30
    static let namesRemembered = 256
    /// Name servers asked one after the other, as the system's own resolver does.
    static let nameServersAsked = 3
    static let nameQuestionTries = 2
    /// A datagram that takes longer is lost.
    static let nameAnswer: Duration = .milliseconds(1500)
    /// All servers and tries together: somebody waits for the answer.
    public static let nameQuestion: Duration = .seconds(5)
    /// Idle connections older than this are not used again: servers and proxies close theirs after 60 s or so.
    static let idleConnectionSeconds = 45
    /// Enough for a slow model or a bulk of webhooks on one loop, far below the limit of descriptors.
    public static let connectionsPerLoop = 128
    public static let connectionsPerHost = 16

    /// Connecting and the handshake of a post: a receiver that is there at all answers within a few round trips.
    static let postConnectMilliseconds = 10_000
    /// Bytes of the answer to a post; beyond it the connection is dropped, as reading on would cost more than a new one.
    static let postAnswerBytes = 64 << 10
    /// Receivers whose URL is kept taken apart on one loop.
    static let addressesRemembered = 1024

    /// RFC 5321 section 4.5.3.1: an address of an envelope.
    public static let mailAddressBytes = 254
    static let mailLocalPartBytes = 64
    /// RFC 5321 asks every server for at least 100.
    public static let mailRecipients = 100
    /// Most servers refuse beyond 10 to 25 MiB; ours are texts.
    public static let mailBytes = 10 << 20
}
