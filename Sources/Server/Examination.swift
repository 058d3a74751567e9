import App
import Core
import Glibc
import HTTP
import Loop
import Outbound
import Postgres
import Wire

/// Looks at everything the server depends on, one thing after the other, and changes nothing.
struct Examination {
    struct Finding {
        let name: String
        let isGood: Bool
        let text: String
    }

    let settings: Settings

    /// A clock that is further off than this breaks tokens and cookies.
    private static let clockSecondsMax = 5.0
    private static let certificateDaysMin = 14

    func findings() -> [Finding] {
        [storage, files] + database + malware + [mail, certificate, documentation]
    }

    private func good(_ name: String, _ text: String) -> Finding {
        Finding(name: name, isGood: true, text: text)
    }
    private func bad(_ name: String, _ text: String) -> Finding {
        Finding(name: name, isGood: false, text: text)
    }

    private var storage: Finding {
        let folder = settings.data
        if access(folder, R_OK | W_OK | X_OK) == 0 { return good("storage", "\(folder) can be written") }
        if errno == ENOENT { return good("storage", "\(folder) will be made on the first start") }
        return bad(
            "storage", "\(folder): \(SystemError.last); mend it with: sudo chown -R $(id -un) \(folder)")
    }

    private var files: Finding {
        let loops = LoopGroup(count: 1)
        let pool = BlockingPool(label: "files", workers: 1, queueLimit: 64)
        do {
            let place = settings.storage == .local ? settings.storageFolder : settings.s3Bucket ?? ""
            if settings.storage == .local, !Folder.exists(place) {
                return good("files", "\(place) will be made on the first start")
            }
            let storage = try settings.openStorage(on: loops, pool: pool)
            let problem = try waiting { await storage.check() }
            return problem.map { bad("files", $0) }
                ?? good("files", "\(place) takes, gives and forgets files")
        } catch {
            return bad("files", "\(error)")
        }
    }

    private var malware: [Finding] {
        guard let address = settings.clamdAddress else { return [] }
        do {
            let scanner = try Clamd(
                address: address, pool: BlockingPool(label: "clamd", workers: 1, queueLimit: 4))
            let problem = try waiting { await scanner.check() }
            return [problem.map { bad("clamd", $0) } ?? good("clamd", "\(address) answers")]
        } catch {
            return [bad("clamd", "\(error)")]
        }
    }

    // MARK: the database

    private var database: [Finding] {
        let url: String
        if let given = settings.databaseURL {
            url = given.revealed
        } else if access(settings.data + "/run/.s.PGSQL.5432", F_OK) == 0 {
            url = EmbeddedPostgres.url(in: settings.data)
        } else {
            let isMade = access(settings.data + "/pg/PG_VERSION", F_OK) == 0
            return [
                good(
                    "database",
                    "embedded, not running now; \(isMade ? "its files are there" : "made on the first start")"
                )
            ]
        }
        let loops = LoopGroup(count: 1)
        let database = Database(settings.database(at: url), loops: loops)
        do {
            let seen = try waiting { try await Self.look(at: database) }
            return [seen.server, seen.clock] + [migrations(settings.databaseMigrateURL?.revealed ?? url)]
        } catch let error as DatabaseError {
            return [
                bad("database", error.debugText.split(whereSeparator: \.isWhitespace).joined(separator: " "))
            ]
        } catch {
            return [bad("database", "\(error)")]
        }
    }

    private static func look(at database: Database) async throws -> (server: Finding, clock: Finding) {
        let rows = try await database.query(
            """
            SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
                   current_user::text AS role, rolsuper OR rolbypassrls AS passes, now() AS at
            FROM pg_roles WHERE rolname = current_user
            """)
        let row = rows[0]
        let (version, number) = (try row.get("version", as: String.self), try row.get("number", as: Int.self))
        let (role, passes) = (try row.get("role", as: String.self), try row.get("passes", as: Bool.self))
        let off = abs(Double((Timestamp.now - (try row.get("at", as: Timestamp.self))).components.seconds))
        await database.close()
        let server =
            number < 150_000
            ? Finding(name: "database", isGood: false, text: "PostgreSQL \(version) is too old; 15 is needed")
            : passes
                ? Finding(
                    name: "database", isGood: false,
                    text:
                        "the role \(role) passes by row-level security; serve as infinity_app or a member of it"
                )
                : Finding(name: "database", isGood: true, text: "PostgreSQL \(version), as \(role)")
        let clock = Finding(
            name: "clock", isGood: off <= clockSecondsMax,
            text: off <= clockSecondsMax
                ? "agrees with the database's" : "\(off) s away from the database's; set both by NTP")
        return (server, clock)
    }

    private func migrations(_ url: String) -> Finding {
        do {
            let migrator = try Migrator(url: url, folder: ShippedFiles.migrations)
            let pending = try waiting { try await migrator.status() }.filter { $0.state == .pending }
            return pending.isEmpty
                ? good("migrations", "all \(migrator.migrations.count) are applied")
                : bad("migrations", "\(pending.count) are pending; apply them with: infinity migrate")
        } catch {
            return bad("migrations", "\(error)")
        }
    }

    // MARK: everything else

    private var mail: Finding {
        guard let url = settings.smtpURL?.revealed else {
            return settings.mode == .development
                ? good("mail", "stays in the development outbox")
                : bad("mail", "is never sent: INFINITY_SMTP_URL is not set")
        }
        do {
            let server = try MailServer(url)
            let loops = LoopGroup(count: 1)
            let outcome = try waiting { await SMTPClient(server, loop: loops.next()).check() }
            switch outcome {
            case .accepted: return good("mail", "\(server.host) takes mail")
            case .temporaryFailure(let reason), .permanentFailure(let reason):
                return bad("mail", "\(server.host): \(reason)")
            }
        } catch {
            return bad("mail", "\(error)")
        }
    }

    private var certificate: Finding {
        guard settings.httpsPort > 0 else {
            return good("certificate", "not needed: INFINITY_HTTPS_PORT is 0")
        }
        guard let path = settings.tlsCertificate, let key = settings.tlsKey else {
            return good("certificate", "one that vouches for itself is made, for development")
        }
        do {
            let days = try TLSIdentity(certificateFile: path, keyFile: key).daysLeft()
            if days < 0 { return bad("certificate", "\(path) ran out \(-days) days ago") }
            if days < Self.certificateDaysMin {
                return bad("certificate", "\(path) runs out in \(days) days; renew it")
            }
            return good("certificate", "\(path), for \(days) more days")
        } catch {
            return bad("certificate", "\(error)")
        }
    }

    private var documentation: Finding {
        guard settings.docs else { return good("documentation", "is turned off") }
        let folder = settings.docsDirectory ?? ShippedFiles.documentationAssets
        guard let folder else {
            return good("documentation", "the plain page; Swagger UI comes with: scripts/docs-assets.sh")
        }
        return access(folder + "/swagger-ui-bundle.js", R_OK) == 0
            ? good("documentation", "Swagger UI from \(folder)")
            : bad("documentation", "\(folder) has no swagger-ui-bundle.js")
    }
}
