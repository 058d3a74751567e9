import Core
import Glibc

/// The system user the embedded database runs as: PostgreSQL refuses to be root.
struct DatabaseAccount {
    let user: SystemUser
    /// The user we are, who connects.
    let client: SystemUser
    private var dropsRoot: Bool { client.uid == 0 }

    private static let setpriv = "/usr/bin/setpriv"

    init(settings: Settings) throws(EmbeddedPostgresFault) {
        guard let client = SystemUser.current else {
            throw EmbeddedPostgresFault(
                .failed,
                "user number \(geteuid()) has no name on this system, which PostgreSQL needs; give it one with: "
                    + "useradd --uid \(geteuid()) infinity; or set DATABASE_URL to a server of your own")
        }
        self.client = client
        if client.uid != 0 {
            user = client
        } else {
            guard let user = SystemUser.named(settings.postgresUser), user.uid != 0 else {
                throw EmbeddedPostgresFault(
                    .failed,
                    "PostgreSQL does not run as root, and there is no user `\(settings.postgresUser)` to run it as; "
                        + "make it with: useradd --system \(settings.postgresUser); or set INFINITY_PG_USER to another"
                )
            }
            self.user = user
        }
        guard access(Self.setpriv, X_OK) == 0 else {
            throw EmbeddedPostgresFault(
                .notInstalled, "\(Self.setpriv) is missing; install it with: apt-get install util-linux")
        }
    }

    /// The command line that runs a program as this user and ends it when we end.
    func command(_ program: [String]) -> [String] {
        let rights =
            dropsRoot
            ? ["--reuid=\(user.uid)", "--regid=\(user.gid)", "--clear-groups", "--no-new-privs"]
            : ["--no-new-privs"]
        return [Self.setpriv] + rights + ["--pdeathsig", "INT", "--"] + program
    }

    /// Nothing of our own environment: a HOME of somebody else, or PG variables, would lead PostgreSQL astray.
    var environment: [String: String] {
        ["PATH": "/usr/bin:/bin", "HOME": user.home, "USER": user.name, "LC_ALL": "C.UTF-8", "TZ": "UTC"]
    }

    /// Makes a folder that only the database's user can enter.
    func makeFolder(_ path: String) throws(EmbeddedPostgresFault) {
        guard Folder.make(path, mode: 0o700), chmod(path, 0o700) == 0,
            !dropsRoot || chown(path, user.uid, user.gid) == 0
        else { throw EmbeddedPostgresFault(.unwritable, "\(path) cannot be made: \(SystemError.last)") }
    }

    /// Every folder above the data must let the database's user through.
    func checkReach(_ path: String) throws(EmbeddedPostgresFault) {
        guard let closed = user.closedFolder(onTheWayTo: path) else { return }
        throw EmbeddedPostgresFault(
            .unwritable,
            "the data folder \(path) is out of reach for `\(user.name)`, as whom the database runs, because \(closed) "
                + "is closed; open it with: chmod a+x \(closed); or set INFINITY_DATA to a folder such as "
                + "/var/lib/infinity")
    }
}
