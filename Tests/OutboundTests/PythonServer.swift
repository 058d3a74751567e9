import CLinux
import Glibc
import Testing
import Wire

/// A server written in Python that the tests talk to; it ends with this object, or with the test process.
final class PythonServer {
    private(set) var port = 0
    /// PEM file of the authority that signed its certificate.
    private(set) var authority = ""
    private let process: pid_t
    private let input: Int32
    private let output: Int32
    private var buffered: [UInt8] = []

    init(_ script: String, _ arguments: [String]) throws {
        let here = String(describing: #filePath).split(separator: "/").dropLast()
        let python = try Self.python(from: here.map(String.init))
        let file = "/" + here.joined(separator: "/") + "/Servers/" + script
        (process, input, output) = try Self.spawn([python, file] + arguments)
        let line = try #require(readLine(seconds: 20), "\(script) did not start")
        let told = try JSON.parse(line)
        port = try #require(told["port"]?.intValue)
        authority = told["ca"]?.stringValue ?? ""
    }

    deinit {
        close(input)
        close(output)
        var status: Int32 = 0
        waitpid(process, &status, 0)
    }

    /// The next line that the server prints, nil when none comes in time.
    func readLine(seconds: Int32 = 10) -> [UInt8]? {
        while true {
            if let end = buffered.firstIndex(of: 0x0A) {
                defer { buffered.removeFirst(end + 1) }
                return [UInt8](buffered[..<end])
            }
            var wanted = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
            guard poll(&wanted, 1, seconds * 1000) == 1 else { return nil }
            var room = [UInt8](repeating: 0, count: 65_536)
            let count = read(output, &room, room.count)
            guard count > 0 else { return nil }
            buffered += room[..<count]
        }
    }

    /// The interpreter that `scripts/python-venv.sh` sets up, found above this file.
    private static func python(from folders: [String]) throws -> String {
        var folders = folders
        while !folders.isEmpty {
            let path = "/" + folders.joined(separator: "/") + "/.build/venv/bin/python"
            if access(path, X_OK) == 0 { return path }
            folders.removeLast()
        }
        throw Missing(
            description: "no .build/venv/bin/python: run scripts/python-venv.sh (make test does it)")
    }

    private struct Missing: Error, CustomStringConvertible { let description: String }

    private static func spawn(_ arguments: [String]) throws -> (pid_t, Int32, Int32) {
        var toChild: [Int32] = [0, 0]
        var fromChild: [Int32] = [0, 0]
        guard pipe2(&toChild, O_CLOEXEC) == 0, pipe2(&fromChild, O_CLOEXEC) == 0 else {
            throw Missing(description: "no pipe")
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, toChild[0], 0)
        posix_spawn_file_actions_adddup2(&actions, fromChild[1], 1)
        var list: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for text in list { free(text) } }
        var process = pid_t()
        let result = posix_spawn(&process, arguments[0], &actions, nil, &list, environ)
        close(toChild[0])
        close(fromChild[1])
        guard result == 0 else { throw Missing(description: "\(arguments[0]) does not run") }
        return (process, toChild[1], fromChild[0])
    }
}
