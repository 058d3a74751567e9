import Glibc

/// The configuration of the embedded database: fit for a machine that it shares with the server.
enum PostgresTuning {
    static func configuration(sockets: String, hasCustom: Bool) -> String {
        let memory = memoryMegabytes
        let shared = min(max(memory / 8, 32), 512)
        return """
            # Written at each start; your own lines belong into custom.conf beside this file.
            include 'postgresql.conf'
            listen_addresses = ''
            unix_socket_directories = '\(sockets.replacing("'", with: "''"))'
            unix_socket_permissions = 0700
            cluster_name = 'infinity'
            max_connections = 100
            shared_buffers = \(shared)MB
            effective_cache_size = \(max(memory / 2, 64))MB
            work_mem = 8MB
            maintenance_work_mem = \(min(max(memory / 32, 16), 256))MB
            max_wal_size = 1GB
            wal_compression = on
            checkpoint_timeout = 15min
            # Solid state disks; compiling costs more than our short statements take.
            random_page_cost = 1.1
            jit = off
            update_process_title = off
            timezone = 'UTC'
            log_timezone = 'UTC'
            log_line_prefix = '%m [%p] '
            # No values of rows and no statements in the log: they are other people's data.
            log_min_messages = log
            log_checkpoints = off
            log_error_verbosity = terse
            log_min_error_statement = panic
            \(hasCustom ? "include 'custom.conf'" : "")

            """
    }

    private static var memoryMegabytes: Int {
        max(sysconf(Int32(_SC_PHYS_PAGES)), 0) * sysconf(Int32(_SC_PAGESIZE)) / (1 << 20)
    }
}
