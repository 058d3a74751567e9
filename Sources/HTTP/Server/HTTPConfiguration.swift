import Wire

/// What a server listens on and how it treats what it hears.
public struct HTTPConfiguration: Sendable {
    public struct Listener: Sendable {
        public enum Kind: Sendable, Equatable {
            case plain
            /// Answers everything with a redirect to the https port, where the public URL has it.
            case redirect(toPort: Int)
            case tls
        }

        /// An address, or a name of this machine.
        public var host: String
        /// 0 lets the system choose.
        public var port: Int
        public var kind: Kind

        public init(host: String, port: Int, kind: Kind = .plain) {
            self.host = host
            self.port = port
            self.kind = kind
        }
    }

    public var listeners: [Listener]
    /// The proxies whose Forwarded or X-Forwarded-… fields are believed.
    public var trustedProxies: [AddressRange]
    /// Needed by listeners of the kind `tls`.
    public var tls: TLS?
    public var limits: Limits

    public init(
        listeners: [Listener], tls: TLS? = nil, trustedProxies: [AddressRange] = [], limits: Limits = Limits()
    ) {
        self.listeners = listeners
        self.tls = tls
        self.trustedProxies = trustedProxies
        self.limits = limits
    }
}
