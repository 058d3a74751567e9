import Glibc

/// The file descriptors this process may have; each connection takes one.
enum Descriptors {
    /// Raises the soft limit, as far as the hard one lets it, to what the connections and all else need; returns how
    /// many connections that leaves room for. Beyond it a client would wait in the dark instead of being told 503.
    static func makeRoom(forConnections wanted: Int) -> Int {
        let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(kind, &limit) == 0 else { return wanted }
        let needed = rlim_t(wanted + reserve)
        if limit.rlim_cur < needed {
            limit.rlim_cur = min(limit.rlim_max, needed)
            setrlimit(kind, &limit)
            getrlimit(kind, &limit)
        }
        return limit.rlim_cur >= needed ? wanted : max(1, Int(limit.rlim_cur) - reserve)
    }

    /// Database connections, log, files being sent, mail and calls to others.
    private static let reserve = 256
}
