import Core
import HTTP
import Loop
import Postgres
import Wire

/// What the settings mean for the parts of the server.
extension Settings {
    /// How the database is used that stands at `url`.
    public func database(at url: String) -> DatabaseConfiguration {
        var configuration = DatabaseConfiguration(url: url)
        configuration.replicaURL = self.replicaURL?.revealed
        configuration.listenURL = self.databaseListenURL?.revealed
        configuration.isPooled = self.databasePooler == .transaction
        switch self.databasePrepared {
        case .auto: configuration.preparesStatements = !configuration.isPooled
        case .on: configuration.preparesStatements = true
        case .off: configuration.preparesStatements = false
        }
        configuration.pipelinesPerLoop = self.databasePipelines
        configuration.leasesPerLoop = self.databaseTransactions
        configuration.reportsPerLoop = self.databaseReports
        configuration.statementDeadline = .seconds(self.databaseStatementSeconds)
        configuration.connectDeadline = .seconds(self.databaseConnectSeconds)
        return configuration
    }

    /// The same database as the owner of its tables has it; used seldom, so by a connection or two.
    func owner(at url: String, _ loops: LoopGroup) -> OwnerDatabase {
        var configuration = database(at: url)
        configuration.role = nil
        configuration.replicaURL = nil
        (configuration.pipelinesPerLoop, configuration.leasesPerLoop, configuration.reportsPerLoop) = (
            1, 1, 1
        )
        return OwnerDatabase(Database(configuration, loops: loops))
    }

    /// What the server listens on. In development a certificate is made when there is none.
    public func http() throws(TLSError) -> HTTPConfiguration {
        var listeners: [HTTPConfiguration.Listener] = []
        if self.httpPort > 0 {
            let kind: HTTPConfiguration.Listener.Kind =
                self.httpsRedirect ? .redirect(toPort: publicHTTPSPort) : .plain
            listeners.append(.init(host: self.bind, port: self.httpPort, kind: kind))
        }
        var tls: HTTPConfiguration.TLS?
        if self.httpsPort > 0 {
            listeners.append(.init(host: self.bind, port: self.httpsPort, kind: .tls))
            tls = .init(identities: [try identity()])
        }
        return HTTPConfiguration(listeners: listeners, tls: tls, trustedProxies: self.trustedProxies)
    }

    private func identity() throws(TLSError) -> TLSIdentity {
        if let certificate = self.tlsCertificate, let key = self.tlsKey {
            return TLSIdentity(certificateFile: certificate, keyFile: key)
        }
        let own = TLSIdentity(
            certificateFile: self.data + "/development.crt", keyFile: self.data + "/development.key")
        try SelfSignedCertificate.ensure(own)
        return own
    }

    /// Where a redirect leads: the port of the public address, which a proxy may have moved.
    private var publicHTTPSPort: Int {
        guard self.publicURL.isSecure else { return self.httpsPort }
        return self.publicURL.port ?? 443
    }
}
