import Glibc
import TestCluster
import TestSupport

/// Reads archives with the machine's own tool.
enum Unzip {
    static func file(_ name: String, in archive: [UInt8]) async throws -> String {
        var template = Array("/tmp/infinity-zip-XXXXXX\0".utf8CString)
        guard let folder = mkdtemp(&template).map({ String(cString: $0) }) else { throw Client.Failure(description: "no folder") }
        defer { _ = try? ChildProcess.run(["rm", "-r", folder], folder: "/tmp") }
        let path = "\(folder)/a.zip"
        let file = open(path, O_CREAT | O_WRONLY, 0o600)
        _ = archive.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        close(file)
        return try ChildProcess.run(
            ["python3", "-c", "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; sys.stdout.write(z.read(sys.argv[2]).decode())", path, name],
            folder: folder)
    }
}
