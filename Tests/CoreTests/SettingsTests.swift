import Core
import Glibc
import Testing

@Suite struct `The settings` {
    private let minimum = ["HOME": "/home/ada"]

    @Test func `without anything set, everything has a value fit for development`() throws {
        let settings = try Settings.load(minimum)
        #expect(settings.mode == .development)
        #expect(settings.httpPort == 8080)
        #expect(settings.httpsPort == 8443)
        #expect(settings.publicURL.text == "http://127.0.0.1:8080")
        #expect(settings.databaseURL == nil)
        #expect(settings.developmentOutbox)
    }

    @Test func `the environment wins over the file, the file over the default`() throws {
        let file = try TemporaryFile(
            """
            # comment
            INFINITY_HTTP_PORT = 9000
            INFINITY_BCRYPT_COST="10"

            INFINITY_CORS_ORIGINS=https://a.example, https://b.example/
            """)
        let settings = try Settings.load(
            minimum.merging(["INFINITY_CONFIG": file.path, "INFINITY_HTTP_PORT": "9001"]) { $1 })
        #expect(settings.httpPort == 9001)
        #expect(settings.bcryptCost == 10)
        #expect(settings.corsOrigins.map(\.text) == ["https://a.example", "https://b.example"])
        #expect(settings.source(of: "INFINITY_HTTP_PORT") == .environment)
        #expect(settings.source(of: "INFINITY_BCRYPT_COST") == .file(file.path))
        #expect(settings.source(of: "INFINITY_HTTPS_PORT") == .default)
    }

    @Test func `a secret can stand in a file of its own, without its line feed`() throws {
        let file = try TemporaryFile("smtp://u:hunter2@mail.example:587\n")
        let settings = try Settings.load(minimum.merging(["INFINITY_SMTP_URL_FILE": file.path]) { $1 })
        #expect(settings.smtpURL?.revealed == "smtp://u:hunter2@mail.example:587")
        #expect(settings.source(of: "INFINITY_SMTP_URL") == .secretFile(file.path))
    }

    @Test func `every fault is told at once, unknown names with what was probably meant`() throws {
        let file = try TemporaryFile("INFINITY_DRAIN_SECONDS=soon\nINFINITY_BINDD=::1\nnonsense\n")
        let fault = #expect(throws: SettingsFault.self) {
            try Settings.load([
                "INFINITY_HTP_PORT": "80", "INFINITY_HTTPS_PORT": "70000", "INFINITY_LOG_LEVEL": "inof",
                "INFINITY_RATE_LIMITS": "maybe", "INFINITY_CONFIG": file.path,
                "DATABASE_URL": "mysql://u@h/d", "INFINITY_SMTP_URL_FILE": "/does/not/exist",
            ])
        }
        #expect(
            fault?.problems.sorted()
                == [
                    "\(file.path), line 1: INFINITY_DRAIN_SECONDS must be a whole number",
                    "\(file.path), line 2: INFINITY_BINDD is not a setting; perhaps you meant INFINITY_BIND",
                    "\(file.path), line 3: must read NAME=value",
                    "DATABASE_URL must begin with postgres://",
                    "INFINITY_HTP_PORT is not a setting; perhaps you meant INFINITY_HTTP_PORT",
                    "INFINITY_HTTPS_PORT must lie between 0 and 65535",
                    "INFINITY_LOG_LEVEL must be one of trace, debug, info, notice, warning, error, critical; "
                        + "perhaps you meant info",
                    "INFINITY_RATE_LIMITS must be on or off",
                    "INFINITY_SMTP_URL_FILE names /does/not/exist, which cannot be read: No such file or directory",
                ].sorted())
    }

    @Test func `proxies are addresses and ranges, and a public address knows its port`() throws {
        let settings = try Settings.load(
            minimum.merging([
                "INFINITY_TRUSTED_PROXIES": "10.0.0.0/8, ::1", "INFINITY_PUBLIC_URL": "https://[::1]:8443/",
            ]) { $1 })
        #expect(settings.trustedProxies.map(\.description) == ["10.0.0.0/8", "::1/128"])
        #expect(settings.publicURL.port == 8443 && settings.publicURL.text == "https://[::1]:8443")
        #expect(throws: SettingsFault.self) { try Settings.load(["INFINITY_TRUSTED_PROXIES": "10.0.0.1/8"]) }
    }

    @Test func `production refuses to start without its keys and its address`() {
        let fault = #expect(throws: SettingsFault.self) {
            try Settings.load(["DATABASE_URL": "postgres://db/infinity", "INFINITY_DEV_OUTBOX": "on"])
        }
        let text = fault?.description ?? ""
        for name in [
            "INFINITY_PUBLIC_URL", "INFINITY_SECRET_KEY", "INFINITY_PASSWORD_PEPPER", "INFINITY_DEV_OUTBOX",
        ] { #expect(text.contains(name)) }
    }

    @Test func `what is printed of a secret tells nothing of it`() throws {
        let key = "k1:" + String(repeating: "A", count: 43) + "="
        let settings = try Settings.load(
            minimum.merging([
                "INFINITY_SECRET_KEY": key, "INFINITY_METRICS_TOKEN": "hunter2",
                "INFINITY_SMTP_URL": "smtp://u:hunter2@mail.example", "INFINITY_MODE": "development",
                "DATABASE_URL": "postgres://app:hunter2@db/infinity",
            ]) { $1 })
        let printed = settings.lines.map { "\($0.name)=\($0.value) \($0.source)" }.joined(separator: "\n")
        #expect(!printed.contains("hunter2") && !printed.contains("AAAA"))
        #expect(printed.contains("DATABASE_URL=postgres://app:***@db/infinity environment"))
    }

    @Test func `keys made on the first start are kept for the next, readable by the owner alone`() throws {
        let folder = try TemporaryFolder()
        let settings = try Settings.load(minimum.merging(["INFINITY_DATA": folder.path]) { $1 })
        let first = try settings.withKeptKeys()
        let second = try settings.withKeptKeys()
        #expect(first.secretKey != nil && first.secretKey == second.secretKey)
        #expect(first.passwordPepper != nil && first.passwordPepper == second.passwordPepper)
        var status = stat()
        #expect(stat(folder.path + "/keys.conf", &status) == 0 && status.st_mode & 0o777 == 0o600)
    }

    @Test func `docs/configuration.md is what the declarations say`() throws {
        let isFresh = SmallFile.read(projectFolder + "/docs/configuration.md") == Settings.page
        #expect(isFresh, "run `make docs` to refresh docs/configuration.md")
    }

    private var projectFolder: String {
        #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 }
    }
}

private final class TemporaryFile {
    let path: String

    init(_ text: String) throws {
        var template = Array("/tmp/infinity-settings-XXXXXX".utf8CString)
        let file = mkstemp(&template)
        try #require(file >= 0)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        _ = Array(text.utf8).withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        close(file)
    }

    deinit { unlink(path) }
}

private final class TemporaryFolder {
    let path: String

    init() throws {
        var template = Array("/tmp/infinity-data-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        unlink(path + "/keys.conf")
        rmdir(path)
    }
}
