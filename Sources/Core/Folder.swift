import CLinux
import Glibc

/// Folders of the file system.
public enum Folder {
    public static func exists(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    public static func entries(_ path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Makes the folder and those above it; false with `errno` set when it could not.
    public static func make(_ path: String, mode: mode_t) -> Bool {
        if exists(path) { return true }
        let parent = path.split(separator: "/").dropLast().reduce(into: "") { $0 += "/" + $1 }
        if !parent.isEmpty, !make(parent, mode: 0o755) { return false }
        return mkdir(path, mode) == 0 || errno == EEXIST
    }

    /// Removes the folder and all in it, as far as it can.
    public static func remove(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        if status.st_mode & S_IFMT == S_IFDIR {
            for name in entries(path) { remove("\(path)/\(name)") }
        }
        _ = Glibc.remove(path)
    }

    /// Makes sure that the folder and all in it survive a loss of power.
    public static func syncTree(_ path: String) { sync(path, syncfs) }

    /// Makes sure that a rename in the folder survives a loss of power.
    public static func sync(_ path: String) { sync(path, fsync) }

    private static func sync(_ path: String, _ flush: (Int32) -> Int32) {
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return }
        _ = flush(folder)
        close(folder)
    }
}
