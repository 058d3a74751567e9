import Core
import Glibc
import Testing

@testable import App

@Suite struct `The embedded database` {
    private let ready = "It ends with Ctrl-C."

    @Test func `is made once, belongs to one Infinity at a time, and ends with it`() async throws {
        let folder = try OpenFolder()
        let variables = ["INFINITY_DATA": folder.path]
        let first = try Program("database", variables: variables)
        try await first.waitUntilPrinted(ready)
        let server = try databasePid(folder)

        let second = try Program("database", variables: variables)
        #expect(try await second.waitForExit() == .code(69))
        #expect(
            second.printed()
                == "infinity: the data folder \(folder.path) is in use by another Infinity (process \(first.pid)); "
                + "stop that one with: kill \(first.pid); or set INFINITY_DATA to another folder\n")

        first.send(SIGINT)
        #expect(try await first.waitForExit() == .code(0))
        #expect(!isRunning(server))

        let third = try Program("database", variables: variables)
        try await third.waitUntilPrinted(ready)
    }

    @Test func `does not outlive an Infinity that was killed, and starts again right after`() async throws {
        let folder = try OpenFolder()
        let first = try Program("database", variables: ["INFINITY_DATA": folder.path])
        try await first.waitUntilPrinted(ready)
        let server = try databasePid(folder)
        first.send(SIGKILL)
        #expect(try await first.waitForExit() == .signal(SIGKILL))
        let second = try Program("database", variables: ["INFINITY_DATA": folder.path])
        try await second.waitUntilPrinted(ready)
        #expect(try databasePid(folder) != server)
        #expect(!isRunning(server))
    }

    @Test func `a start that is killed while the files are made leaves no half database`() async throws {
        let folder = try OpenFolder()
        let first = try Program("database", variables: ["INFINITY_DATA": folder.path])
        let isBegun = await waitFor(.seconds(20)) { access(folder.path + "/pg.tmp/PG_VERSION", F_OK) == 0 }
        try #require(isBegun)
        first.send(SIGKILL)
        #expect(try await first.waitForExit() == .signal(SIGKILL))
        #expect(!Folder.exists(folder.path + "/pg"))
        let second = try Program("database", variables: ["INFINITY_DATA": folder.path])
        try await second.waitUntilPrinted(ready)
        #expect(!Folder.exists(folder.path + "/pg.tmp"))
    }

    @Test func `a server that ends by itself is told, with how it ended`() async throws {
        let folder = try OpenFolder()
        let program = try Program("database", variables: ["INFINITY_DATA": folder.path])
        try await program.waitUntilPrinted(ready)
        kill(try databasePid(folder), SIGINT)
        #expect(try await program.waitForExit() == .code(69))
        #expect(program.printed().contains("the database ended by itself (exit code 0)"))
    }

    @Test func `another major version is never started on the data`() async throws {
        let folder = try OpenFolder()
        try #require(mkdir(folder.path + "/pg", 0o755) == 0)
        try #require(SmallFile.create(folder.path + "/pg/PG_VERSION", "9\n"))
        let missing = try Program("database", variables: ["INFINITY_DATA": folder.path])
        #expect(try await missing.waitForExit() == .code(78))
        #expect(missing.printed().contains("PostgreSQL 9, with which the data was made, is not installed"))
        #expect(missing.printed().contains("apt-get install --no-install-recommends postgresql-9"))

        let installed = try PostgresBinaries.find(chosen: nil, dataMajor: nil)
        let other = try Program(
            "database", variables: ["INFINITY_DATA": folder.path, "INFINITY_PG_BIN": installed.folder])
        #expect(try await other.waitForExit() == .code(78))
        #expect(
            other.printed().contains(
                "the data was made with PostgreSQL 9, but \(installed.folder) has \(installed.major)"))
    }

    @Test func `a folder without PostgreSQL in it is named`() async throws {
        let folder = try OpenFolder()
        let program = try Program(
            "database", variables: ["INFINITY_DATA": folder.path + "/data", "INFINITY_PG_BIN": folder.path])
        #expect(try await program.waitForExit() == .code(78))
        #expect(
            program.printed()
                == "infinity: INFINITY_PG_BIN is \(folder.path), but there is no `initdb` and `postgres` to run in it\n"
        )
    }

    @Test(arguments: ["/proc/infinity", "relative"])
    func `a data folder that cannot be made is told with the reason`(path: String) async throws {
        let program = try Program("database", variables: ["INFINITY_DATA": path])
        #expect(try await program.waitForExit() == .code(73))
        #expect(program.printed().contains(path))
    }

    @Test(.enabled(if: geteuid() == 0))
    func `a data folder that the database's user cannot reach is told, with what opens it`() async throws {
        let folder = try OpenFolder()
        chmod(folder.path, 0o700)
        let program = try Program("database", variables: ["INFINITY_DATA": folder.path + "/data"])
        #expect(try await program.waitForExit() == .code(73))
        #expect(
            program.printed().contains(
                "because \(folder.path) is closed; open it with: chmod a+x \(folder.path)"))
    }

    @Test func `nothing of our environment reaches it`() async throws {
        let folder = try OpenFolder()
        let program = try Program(
            "database",
            variables: [
                "INFINITY_DATA": folder.path, "PGDATA": "/nowhere", "PGPORT": "1", "TZ": "Mars/Olympus",
            ])
        try await program.waitUntilPrinted(ready)
        let environment = SmallFile.read("/proc/\(try databasePid(folder))/environ") ?? ""
        let names = environment.split(separator: "\0").map { $0.prefix { $0 != "=" } }.sorted()
        #expect(names.filter { !$0.hasPrefix("PG") } == ["HOME", "LC_ALL", "PATH", "TZ", "USER"])
        #expect(!environment.contains("/nowhere") && !environment.contains("Mars"))
    }

    private func databasePid(_ folder: OpenFolder) throws -> pid_t {
        let file = try #require(SmallFile.read(folder.path + "/pg/postmaster.pid"))
        return try #require(pid_t(file.prefix { $0.isNumber }))
    }
}
