import Glibc
import TestCluster
import TestSupport

/// Other people's readers of what goes out, where they are installed (scripts/python-venv.sh).
enum Python {
    private static let root = "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
    private static let program = "\(root)/.build/venv/bin/python"

    static func knows(_ module: String) -> Bool {
        (try? ChildProcess.run([program, "-c", "import \(module)"], folder: "/tmp")) != nil
    }

    /// What the script prints, given a file of these bytes.
    static func run(_ script: String, over content: [UInt8]) throws -> String {
        var template = Array("/tmp/infinity-read-XXXXXX".utf8CString)
        guard let folder = mkdtemp(&template).map({ String(cString: $0) }) else {
            throw Client.Failure(description: "no folder")
        }
        defer { _ = try? ChildProcess.run(["/bin/rm", "-r", folder], folder: "/tmp") }
        let path = "\(folder)/content"
        let file = open(path, O_CREAT | O_WRONLY, 0o600)
        _ = content.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        close(file)
        return try ChildProcess.run([program, "-c", script, path], folder: folder)
    }
}
