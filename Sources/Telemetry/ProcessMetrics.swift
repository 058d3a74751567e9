import Glibc
import Wire

extension Metrics {
    /// The process itself, under the names every Prometheus dashboard knows.
    public func observeProcess(version: String) {
        let started = Timestamp.now
        observe(.gauge, "process_start_time_seconds", "When the process started, in seconds since 1970.") {
            Double(started.microseconds) / 1_000_000
        }
        observe(.counter, "process_cpu_seconds_total", "Processor time used, user and system.") {
            var usage = rusage()
            getrusage(RUSAGE_SELF.rawValue, &usage)
            let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
            return Double(seconds) + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1_000_000
        }
        observe(.gauge, "process_resident_memory_bytes", "Memory in use.") {
            ProcessFiles.memoryBytes(field: 1)
        }
        observe(.gauge, "process_virtual_memory_bytes", "Address space in use.") {
            ProcessFiles.memoryBytes(field: 0)
        }
        observe(.gauge, "process_open_fds", "Open file descriptors.") { ProcessFiles.openDescriptors() }
        observe(.gauge, "process_max_fds", "File descriptors the process may open.") {
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            return Double(limit.rlim_cur)
        }
        observe(.gauge, "infinity_build_info", "The version that runs; always 1.", labels: ["version"]) {
            [([version], 1)]
        }
    }
}

private enum ProcessFiles {
    /// A field of /proc/self/statm, which counts pages.
    static func memoryBytes(field: Int) -> Double {
        let file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return .nan }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 128)
        let count = read(file, &bytes, bytes.count)
        guard count > 0 else { return .nan }
        let fields = String(decoding: bytes.prefix(count), as: UTF8.self).split(separator: " ")
        guard field < fields.count, let pages = Double(fields[field]) else { return .nan }
        return pages * Double(sysconf(Int32(_SC_PAGESIZE)))
    }

    static func openDescriptors() -> Double {
        guard let folder = opendir("/proc/self/fd") else { return .nan }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // Less the two dot entries and the descriptor of the folder itself.
        return Double(count - 3)
    }
}
