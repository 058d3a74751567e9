import Loop
import Outbound
import Wire

/// Every setting of Infinity, declared once.
///
/// What is read as `settings.httpPort` is declared here as `httpPort`; the order is that of docs/configuration.md.
public struct SettingsCatalogue: Sendable {
    /// The parts of the page, each with the first setting in it.
    static let sections = [
        (title: "General", first: "INFINITY_MODE"), (title: "Server", first: "INFINITY_BIND"),
        (title: "Database", first: "DATABASE_URL"), (title: "Sign-in", first: "INFINITY_SECRET_KEY"),
        (title: "Privacy", first: "INFINITY_ERASURE_GRACE_DAYS"),
        (title: "Mail", first: "INFINITY_SMTP_URL"), (title: "Files", first: "INFINITY_STORAGE"),
        (title: "Webhooks", first: "INFINITY_WEBHOOK_ALLOWED_RANGES"),
        (title: "Log and metrics", first: "INFINITY_LOG_LEVEL"),
    ]

    public enum Mode: String, SettingChoice { case development, production }
    public enum Level: String, SettingChoice { case trace, debug, info, notice, warning, error, critical }
    public enum Pooler: String, SettingChoice { case none, transaction }
    public enum Prepared: String, SettingChoice { case auto, on, off }
    public enum Embedded: String, SettingChoice { case auto, off }
    public enum StorageKind: String, SettingChoice { case local, s3 }
    public enum S3Addressing: String, SettingChoice { case path, host }
    public enum MetricsAccess: String, SettingChoice { case loopback, token, open, off }

    public let mode = Setting<Mode>(
        "INFINITY_MODE",
        """
        `development` makes what is missing (a certificate, keys) and opens the mail outbox; `production` refuses \
        to start without them.
        """,
        .derived("production with DATABASE_URL, else development") {
            $0.databaseURL == nil ? .development : .production
        })
    public let config = Setting<String?>(
        "INFINITY_CONFIG", "File of `NAME=value` lines; the environment wins over it.",
        default: nil)
    public let data = Setting<String>(
        "INFINITY_DATA", "Folder for the embedded database, the files and the keys made on the first start.",
        .derived("/var/lib/infinity for root, else $XDG_DATA_HOME/infinity or ~/.local/share/infinity") {
            $0.defaultDataFolder
        })
    public let publicURL = Setting<WebAddress>(
        "INFINITY_PUBLIC_URL",
        "The address people use: in links of mails, cookies, tokens and the documentation.",
        .derived("the address it listens on") { $0.listeningAddress })

    public let bind = Setting<String>(
        "INFINITY_BIND", "Address to listen on; 0.0.0.0 for all of IPv4, :: for all.",
        default: "127.0.0.1")
    public let httpPort = Setting<Int>(
        "INFINITY_HTTP_PORT", "Port for HTTP; 0 turns it off.",
        default: 8080, in: 0...65535)
    public let httpsPort = Setting<Int>(
        "INFINITY_HTTPS_PORT", "Port for HTTPS; 0 turns it off.",
        .derived("8443 in development or with a certificate, else 0") {
            $0.mode == .development || $0.tlsCertificate != nil ? 8443 : 0
        }
    ) { (0...65535).contains($0) ? nil : "must lie between 0 and 65535" }
    public let tlsCertificate = Setting<String?>(
        "INFINITY_TLS_CERT",
        """
        Certificate chain (PEM). Read again on SIGHUP. In development one is made when there is \
        none.
        """,
        default: nil)
    public let tlsKey = Setting<String?>(
        "INFINITY_TLS_KEY", "Private key of the certificate (PEM).", default: nil)
    public let httpsRedirect = Setting<Bool>(
        "INFINITY_HTTPS_REDIRECT", "Answer plain HTTP with a redirect to HTTPS, health checks too.",
        default: false)
    public let trustedProxies = Setting<[AddressRange]>(
        "INFINITY_TRUSTED_PROXIES",
        """
        Addresses or ranges (10.0.0.0/8) whose X-Forwarded-For and Forwarded headers are believed.
        """,
        default: [])
    public let corsOrigins = Setting<[WebAddress]>(
        "INFINITY_CORS_ORIGINS", "Origins of web pages that may call the API.",
        default: [])
    public let rateLimits = Setting<Bool>(
        "INFINITY_RATE_LIMITS", "Limit how often one address, user or company may call.",
        default: true)
    public let drainSeconds = Setting<Int>(
        "INFINITY_DRAIN_SECONDS", "Time for requests in flight to finish after SIGTERM.",
        unit: "seconds", default: 20, in: 0...3600)
    public let loops = Setting<Int>(
        "INFINITY_LOOPS", "Event loops, each with a thread of its own.",
        .derived("one per core") { _ in LoopGroup.cores }
    ) {
        (1...256).contains($0) ? nil : "must lie between 1 and 256"
    }
    public let docs = Setting<Bool>("INFINITY_DOCS", "Serve the documentation at /docs.", default: true)
    public let docsDirectory = Setting<String?>(
        "INFINITY_DOCS_DIR",
        """
        Folder with the files of Swagger UI; without them /docs is a plain page of our own.
        """,
        default: nil)

    public let databaseURL = Setting<SecretURL?>(
        "DATABASE_URL",
        """
        PostgreSQL 15 or later. Not set: Infinity starts a PostgreSQL of its own in the data folder. \
        Several hosts and `target_session_attrs=read-write` survive a fail-over.
        """,
        default: nil, check: postgresURL)
    public let databaseListenURL = Setting<SecretURL?>(
        "INFINITY_DATABASE_LISTEN_URL",
        """
        Direct connection for LISTEN when DATABASE_URL leads through a pooler.
        """,
        default: nil, check: postgresURL)
    public let databaseMigrateURL = Setting<SecretURL?>(
        "INFINITY_DATABASE_MIGRATE_URL",
        """
        Connection of the role that owns the tables, for migrations; not set: DATABASE_URL.
        """,
        default: nil, check: postgresURL)
    public let replicaURL = Setting<SecretURL?>(
        "INFINITY_REPLICA_URL", "Replica for reads that may lag behind.",
        default: nil, check: postgresURL)
    public let databasePooler = Setting<Pooler>(
        "INFINITY_DATABASE_POOLER",
        """
        `transaction` when DATABASE_URL leads to PgBouncer in transaction mode.
        """,
        default: .none)
    public let databasePrepared = Setting<Prepared>(
        "INFINITY_DATABASE_PREPARED",
        """
        Keep prepared statements; `auto` turns them off behind a transaction pooler.
        """,
        default: .auto)
    public let databasePipelines = Setting<Int>(
        "INFINITY_DATABASE_PIPELINES", "Shared connections per loop for single statements.",
        default: 1, in: 1...16)
    public let databaseTransactions = Setting<Int>(
        "INFINITY_DATABASE_TRANSACTIONS", "Connections per loop for transactions.",
        default: 4, in: 1...100)
    public let databaseReports = Setting<Int>(
        "INFINITY_DATABASE_REPORTS", "Connections per loop for slow reads.",
        default: 1, in: 1...100)
    public let databaseStatementSeconds = Setting<Int>(
        "INFINITY_DATABASE_STATEMENT_SECONDS", "Longest time of one statement of a request.",
        unit: "seconds", default: 5, in: 1...3600)
    public let databaseConnectSeconds = Setting<Int>(
        "INFINITY_DATABASE_CONNECT_SECONDS", "Longest time to connect.",
        unit: "seconds", default: 3, in: 1...300)
    public let embedded = Setting<Embedded>(
        "INFINITY_EMBEDDED",
        """
        `off` refuses to start without DATABASE_URL instead of starting a PostgreSQL of its own.
        """,
        default: .auto)
    public let postgresBin = Setting<String?>(
        "INFINITY_PG_BIN", "Folder with `initdb` and `postgres` for the embedded database.",
        .derived("the version of the data folder, else the newest installed") { _ in nil })
    public let postgresUser = Setting<String>(
        "INFINITY_PG_USER", "System user the embedded database runs as when Infinity is started by root.",
        default: "postgres")

    public let secretKey = Setting<Secret?>(
        "INFINITY_SECRET_KEY",
        """
        Keys that seal secrets in the database and sign cursors: `id:base64 of 32 bytes`, newest \
        first, separated by commas. Make one with `echo k1:$(openssl rand -base64 32)`. In \
        development one is made and kept in the data folder.
        """,
        default: nil, check: keyRing)
    public let passwordPepper = Setting<Secret?>(
        "INFINITY_PASSWORD_PEPPER",
        """
        Mixed into every password before hashing: base64 of 32 bytes. Changing it makes all \
        passwords useless. In development one is made and kept in the data folder.
        """,
        default: nil, check: pepper)
    public let bcryptCost = Setting<Int>(
        "INFINITY_BCRYPT_COST", "Work per password: each step doubles it; 11 takes about 0.12 s of a core.",
        default: 11, in: 4...15)
    public let accessTokenSeconds = Setting<Int>(
        "INFINITY_ACCESS_TOKEN_SECONDS", "Life of an access token.",
        unit: "seconds", default: 900, in: 60...86_400)
    public let refreshTokenDays = Setting<Int>(
        "INFINITY_REFRESH_TOKEN_DAYS", "Life of a refresh token since its last use.",
        unit: "days", default: 30, in: 1...365)
    public let sessionDays = Setting<Int>(
        "INFINITY_SESSION_DAYS", "Longest life of a session, used or not.",
        unit: "days", default: 90, in: 1...3650)
    public let emailTokenMinutes = Setting<Int>(
        "INFINITY_EMAIL_TOKEN_MINUTES", "Life of a link to verify an address.",
        unit: "minutes", default: 1440, in: 5...43_200)
    public let passwordResetMinutes = Setting<Int>(
        "INFINITY_PASSWORD_RESET_MINUTES", "Life of a link to choose a new password.",
        unit: "minutes", default: 60, in: 5...1440)

    public let erasureGraceDays = Setting<Int>(
        "INFINITY_ERASURE_GRACE_DAYS",
        "Between the confirmation of an erasure and its beginning; until then it can be cancelled.",
        unit: "days", default: 14, in: 0...90)
    public let backupDays = Setting<Int>(
        "INFINITY_BACKUP_DAYS",
        "How long the operator keeps backups of the database: reports of erasures name it as the time data may live on.",
        unit: "days", default: 30, in: 0...3650)
    public let leakedPasswordsURL = Setting<String?>(
        "INFINITY_LEAKED_PASSWORDS_URL",
        """
        A list of leaked passwords that is asked by the first five letters of a digest, as \
        `https://api.pwnedpasswords.com/range`. Not set: only our own list is looked at. One that does not answer refuses \
        nobody.
        """,
        default: nil
    ) {
        guard let text = $0 else { return nil }
        return text.hasPrefix("https://") || text.hasPrefix("http://") ? nil : "must begin with https://"
    }
    public let googleClientId = Setting<String?>(
        "INFINITY_GOOGLE_CLIENT_ID",
        "Lets people sign in by Google; register `<public URL>/account/callback` there.",
        default: nil)
    public let googleClientSecret = Setting<Secret?>(
        "INFINITY_GOOGLE_CLIENT_SECRET", "Secret of that client.", default: nil)
    public let microsoftClientId = Setting<String?>(
        "INFINITY_MICROSOFT_CLIENT_ID", "Lets people sign in by Microsoft.", default: nil)
    public let microsoftClientSecret = Setting<Secret?>(
        "INFINITY_MICROSOFT_CLIENT_SECRET", "Secret of that client.", default: nil)
    public let microsoftTenant = Setting<String>(
        "INFINITY_MICROSOFT_TENANT",
        "`common`, `organizations`, or the id of the one tenant that may sign in.",
        default: "common")
    public let gitHubClientId = Setting<String?>(
        "INFINITY_GITHUB_CLIENT_ID", "Lets people sign in by GitHub.", default: nil)
    public let gitHubClientSecret = Setting<Secret?>(
        "INFINITY_GITHUB_CLIENT_SECRET", "Secret of that client.", default: nil)
    public let gitHubURL = Setting<WebAddress?>(
        "INFINITY_GITHUB_URL", "Address of a GitHub Enterprise Server, instead of github.com.",
        default: nil)
    public let oidcClientId = Setting<String?>(
        "INFINITY_OIDC_CLIENT_ID", "Lets people sign in by another provider that speaks OpenID Connect.",
        default: nil)
    public let oidcClientSecret = Setting<Secret?>(
        "INFINITY_OIDC_CLIENT_SECRET", "Secret of that client, if it has one.", default: nil)
    public let oidcIssuer = Setting<String?>(
        "INFINITY_OIDC_ISSUER", "That provider's issuer, as it writes it itself.", default: nil)
    public let oidcName = Setting<String>(
        "INFINITY_OIDC_NAME", "What people call that provider.", default: "Single sign-on")
    public let ssoAllowedRanges = Setting<[AddressRange]>(
        "INFINITY_SSO_ALLOWED_RANGES",
        """
        Private addresses or ranges (10.0.0.0/8) at which companies' own providers may be reached; without them only \
        public addresses are.
        """,
        default: [])

    public let nameServers = Setting<[String]>(
        "INFINITY_NAME_SERVERS",
        """
        Name servers that are asked for the TXT records of companies' domains: addresses, perhaps with a port; without \
        them those of /etc/resolv.conf.
        """,
        default: []
    ) {
        $0.first { TextRecords.Server($0) == nil }.map {
            "must be addresses like 192.0.2.53 or 192.0.2.53:5353; \($0) is none"
        }
    }

    public let smtpURL = Setting<SecretURL?>(
        "INFINITY_SMTP_URL",
        """
        Mail server: `smtp://user:password@host:587` (STARTTLS) or `smtps://…:465`. Not set: mails \
        stay in the development outbox.
        """,
        default: nil
    ) {
        guard let text = $0?.revealed.lowercased() else { return nil }
        return text.hasPrefix("smtp://") || text.hasPrefix("smtps://")
            ? nil : "must begin with smtp:// or smtps://"
    }
    public let mailFrom = Setting<String>(
        "INFINITY_MAIL_FROM", "Sender of mails: `Name <address>`.",
        default: "Infinity <no-reply@localhost>"
    ) {
        $0.contains("@") && !$0.contains(where: \.isNewline) ? nil : "must hold an e-mail address"
    }
    public let developmentOutbox = Setting<Bool>(
        "INFINITY_DEV_OUTBOX", "Show queued mails at /v1/dev/outbox; refused in production.",
        .derived("on in development") { $0.mode == .development })

    public let storage = Setting<StorageKind>(
        "INFINITY_STORAGE",
        """
        Where the bytes of files lie: `local` in INFINITY_STORAGE_FOLDER, `s3` in a bucket. Several instances need \
        a folder they share, or a bucket.
        """,
        default: .local)
    public let storageFolder = Setting<String>(
        "INFINITY_STORAGE_FOLDER", "Folder for the bytes of files, when they lie on this machine.",
        .derived("`files` in the data folder") { $0.data + "/files" })
    public let s3Endpoint = Setting<WebAddress?>(
        "INFINITY_S3_ENDPOINT", "Address of the S3 service, such as https://s3.eu-central-1.amazonaws.com.",
        default: nil)
    public let s3Bucket = Setting<String?>(
        "INFINITY_S3_BUCKET", "Bucket, of this installation alone.", default: nil)
    public let s3Region = Setting<String>(
        "INFINITY_S3_REGION", "Region that requests are signed for.", default: "us-east-1")
    public let s3AccessKey = Setting<String?>(
        "INFINITY_S3_ACCESS_KEY", "Name of the key that requests are signed with.", default: nil)
    public let s3SecretKey = Setting<Secret?>(
        "INFINITY_S3_SECRET_KEY", "The key itself.", default: nil)
    public let s3Addressing = Setting<S3Addressing>(
        "INFINITY_S3_ADDRESSING", "Whether the bucket stands in the `path` of the address or in its `host`.",
        default: .path)
    public let s3Redirect = Setting<Bool>(
        "INFINITY_S3_REDIRECT",
        """
        Answer links to files with a redirect to the bucket, by an address that is good for a minute, instead of passing \
        the bytes through. Browsers must be able to reach the endpoint.
        """,
        default: false)
    public let fileMegabytes = Setting<Int>(
        "INFINITY_FILE_MB", "Largest file.", unit: "MiB", default: 5120, in: 1...65_536)
    public let fileTypesRefused = Setting<[String]>(
        "INFINITY_FILE_TYPES_REFUSED",
        """
        Types of content that are not taken, told by the content: `application/x-elf`, or `video/*` for all of a kind.
        """,
        default: [
            "application/x-elf", "application/vnd.microsoft.portable-executable", "application/x-mach-binary",
        ])
    public let fileTrashDays = Setting<Int>(
        "INFINITY_FILE_TRASH_DAYS", "How long a deleted file can be restored.", unit: "days", default: 30,
        in: 1...3650)
    public let clamdAddress = Setting<String?>(
        "INFINITY_CLAMD",
        """
        clamd that looks through every file before it can be downloaded: `host:3310`, or the path of its socket. Not \
        set: files are not looked through.
        """,
        default: nil)

    public let webhookAllowedRanges = Setting<[AddressRange]>(
        "INFINITY_WEBHOOK_ALLOWED_RANGES",
        """
        Addresses or ranges (10.1.0.0/16) that webhooks may be sent to although they are not public. \
        Everything else of a private network is refused, whatever name it hides behind.
        """,
        default: [])

    public let logLevel = Setting<Level>(
        "INFINITY_LOG_LEVEL", "The least important records that are logged.",
        default: .info)
    public let accessLog = Setting<Bool>("INFINITY_ACCESS_LOG", "Log one line per request.", default: true)
    public let metricsAccess = Setting<MetricsAccess>(
        "INFINITY_METRICS_ACCESS",
        """
        Who may read /metrics: `loopback` only this machine, `token` with INFINITY_METRICS_TOKEN as \
        bearer token, `open` everybody, `off` nobody.
        """,
        .derived("token when INFINITY_METRICS_TOKEN is set, else loopback") {
            $0.metricsToken == nil ? .loopback : .token
        })
    public let metricsToken = Setting<Secret?>(
        "INFINITY_METRICS_TOKEN", "Bearer token for /metrics.",
        default: nil)
}

private let postgresURL: @Sendable (SecretURL?) -> String? = {
    guard let text = $0?.revealed else { return nil }
    return text.hasPrefix("postgres://") || text.hasPrefix("postgresql://")
        ? nil : "must begin with postgres://"
}

private let keyRing: @Sendable (Secret?) -> String? = {
    guard let ring = $0?.revealed else { return nil }
    for key in ring.split(separator: ",", omittingEmptySubsequences: false) {
        let parts = key.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, Base64.decode(parts[1])?.count == 32 else {
            return "must be `id:base64 of 32 bytes`; make one with: echo k1:$(openssl rand -base64 32)"
        }
    }
    return nil
}

private let pepper: @Sendable (Secret?) -> String? = {
    guard let text = $0?.revealed else { return nil }
    return Base64.decode(text[...])?.count == 32
        ? nil : "must be base64 of 32 bytes; make one with: openssl rand -base64 32"
}
