import Core
import Glibc
import Testing

@testable import App

/// The program itself, started as a user would start it.
final class Program {
    private let child: ChildProcess
    private let output: Int32
    private var text = ""
    private var exit: ChildProcess.Exit?

    init(_ arguments: String..., variables: [String: String]) throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        output = ends[0]
        _ = fcntl(output, F_SETFL, O_NONBLOCK)
        let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer {
            close(nothing)
            close(ends[1])
        }
        var variables = variables
        variables["PATH"] = "/usr/bin:/bin"
        variables["HOME"] = "/tmp"
        child = try #require(
            ChildProcess.start(
                [Self.path] + arguments, environment: variables, input: nothing, output: ends[1]))
    }

    deinit {
        if exit == nil {
            child.send(SIGINT)
            for _ in 0..<5000 where !hasExited { usleep(2000) }
            if !hasExited { child.send(SIGKILL) }
        }
        close(output)
    }

    /// Beside the tests, where the build puts both.
    private static var path: String {
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &bytes, bytes.count)
        let tests = String(decoding: bytes.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return tests.split(separator: "/").dropLast().reduce(into: "") { $0 += "/" + $1 } + "/infinity"
    }

    func send(_ signal: Int32) { child.send(signal) }

    var pid: pid_t { child.pid }

    /// Everything it has printed so far.
    func printed() -> String {
        var bytes = [UInt8](repeating: 0, count: 65536)
        while case let count = read(output, &bytes, bytes.count), count > 0 {
            text += String(decoding: bytes[..<count], as: UTF8.self)
        }
        return text
    }

    func waitUntilPrinted(_ wanted: String) async throws {
        let isPrinted = await waitFor(.seconds(60)) { printed().contains(wanted) || hasExited }
        try #require(isPrinted && printed().contains(wanted), "it printed: \(printed())")
    }

    func waitForExit() async throws -> ChildProcess.Exit {
        let isOver = await waitFor(.seconds(60)) { hasExited }
        try #require(isOver, "it still runs and printed: \(printed())")
        return try #require(exit)
    }

    private var hasExited: Bool {
        if exit == nil { exit = child.ended() }
        return exit != nil
    }
}

/// Whether the process runs: one that has ended but that nobody has asked about does not.
func isRunning(_ pid: pid_t) -> Bool { SmallFile.read("/proc/\(pid)/cmdline")?.isEmpty == false }

/// Looks again and again until the condition holds; false when it still does not after the time.
func waitFor(_ limit: Duration, _ condition: () -> Bool) async -> Bool {
    let deadline = ContinuousClock.now + limit
    while !condition() {
        if ContinuousClock.now > deadline { return false }
        try? await Task.sleep(for: .milliseconds(2))
    }
    return true
}

/// A folder that any user may enter, removed with all in it.
final class OpenFolder {
    let path: String

    init() throws {
        var template = Array("/tmp/infinity-test-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        chmod(path, 0o755)
    }

    deinit { Folder.remove(path) }
}
