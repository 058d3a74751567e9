import CLibPQ
import Glibc

/// Where to connect and in what state a connection is handed over.
struct Target: Sendable {
    var url: String
    var isPooled: Bool
    var role: String?
    var applicationName: String
    /// Settings of the session, given with the start-up packet; a pooler would refuse or leak them.
    var settings: [(name: String, value: String)] = []

    /// Opens a connection, waiting for it on the calling thread, and takes the role.
    func connect(within deadline: Duration) throws(DatabaseError) -> Handle {
        let end = ContinuousClock.now + deadline
        let handle = try open(end)
        try takeRole(handle)
        return handle
    }

    private func open(_ end: ContinuousClock.Instant) throws(DatabaseError) -> Handle {
        let parameters = try startParameters()
        guard let pg = start(parameters) else { throw .unavailable("libpq is out of memory") }
        let handle = Handle(owning: pg)
        // What the server remarks upon goes nowhere: libpq would print it to the standard error output.
        PQsetNoticeReceiver(pg, { _, _ in }, nil)
        if handle.isBad { throw .unavailable(handle.errorText) }
        var wanted = POLLOUT
        while true {
            try wait(PQsocket(pg), for: wanted, until: end)
            switch PQconnectPoll(pg) {
            case PGRES_POLLING_OK: return handle
            case PGRES_POLLING_READING: wanted = POLLIN
            case PGRES_POLLING_WRITING: wanted = POLLOUT
            default: throw .unavailable(handle.errorText)
            }
        }
    }

    private func wait(
        _ descriptor: Int32, for events: Int32, until end: ContinuousClock.Instant
    ) throws(DatabaseError) {
        let left = (end - .now).milliseconds
        guard left > 0 else { throw .unavailable("the database did not answer the dial in time") }
        var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        _ = poll(&entry, 1, Int32(clamping: left))
    }

    private func start(_ parameters: [(String, String)]) -> OpaquePointer? {
        let keywords = parameters.map { strdup($0.0) } + [nil]
        let values = parameters.map { strdup($0.1) } + [nil]
        defer { for copy in keywords + values { free(copy) } }
        return keywords.map { UnsafePointer($0) }.withUnsafeBufferPointer { keywords in
            values.map { UnsafePointer($0) }.withUnsafeBufferPointer { values in
                PQconnectStartParams(keywords.baseAddress, values.baseAddress, 1)
            }
        }
    }

    private func startParameters() throws(DatabaseError) -> [(String, String)] {
        let given = try Self.parse(url)
        var parameters = [("dbname", url)]
        if given["fallback_application_name"] == nil {
            parameters.append(("fallback_application_name", applicationName))
        }
        parameters.append(("client_encoding", "UTF8"))
        // A peer that vanished without a word is noticed within half a minute, also when nothing is being sent.
        for (name, value) in [
            ("keepalives_idle", "15"), ("keepalives_interval", "5"), ("keepalives_count", "3"),
            ("tcp_user_timeout", "15000"),
        ] where given[name] == nil { parameters.append((name, value)) }
        let hosts = given["host"] ?? given["hostaddr"] ?? ""
        if hosts.contains(","), given["target_session_attrs"] == nil {
            parameters.append(("target_session_attrs", "read-write"))
        }
        if !isPooled, !settings.isEmpty {
            let ours = settings.map { "-c \($0.name)=\($0.value)" }.joined(separator: " ")
            parameters.append(("options", given["options"].map { "\(ours) \($0)" } ?? ours))
        }
        return parameters
    }

    /// The parts of a connection string that are set.
    static func parse(_ url: String) throws(DatabaseError) -> [String: String] {
        var complaint: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(url, &complaint) else {
            defer { PQfreemem(complaint) }
            let reason = complaint.map { String(cString: $0) } ?? "no reason given"
            throw .unavailable("the database URL cannot be read: \(reason)")
        }
        defer { PQconninfoFree(options) }
        var parts: [String: String] = [:]
        var at = options
        while let keyword = at.pointee.keyword {
            if let value = at.pointee.val { parts[String(cString: keyword)] = String(cString: value) }
            at += 1
        }
        return parts
    }

    // MARK: the role

    private func takeRole(_ handle: Handle) throws(DatabaseError) {
        guard let role else { return }
        let found = try Self.ask(
            handle,
            """
            SELECT current_user = $1,
                   EXISTS (SELECT FROM pg_roles WHERE rolname = $1 AND pg_has_role(current_user, oid, 'MEMBER')),
                   EXISTS (SELECT FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolbypassrls)),
                   current_user
            """, [role])
        if found[0] == "t" { return }
        if found[1] == "t" {
            if isPooled {
                handle.roleOfTransactions = role
                return
            }
            _ = try Self.ask(handle, "SELECT set_config('role', $1, false)", [role])
            return
        }
        // A login that row-level security binds may serve as it is.
        if found[2] == "t" {
            throw .unavailable(
                """
                the login role \(found[3]) is not bound by row-level security and cannot become \(role): \
                run `infinity migrate`, which creates that role
                """)
        }
    }

    /// Asks for one row in text form.
    static func ask(_ handle: Handle, _ text: String, _ values: [String]) throws(DatabaseError) -> [String] {
        let copies = values.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        let result = copies.map { UnsafePointer<CChar>($0) }.withUnsafeBufferPointer {
            PQexecParams(handle.pg, text, Int32(values.count), nil, $0.baseAddress, nil, nil, 0)
        }
        guard let result else { throw .unavailable(handle.errorText) }
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_TUPLES_OK else {
            throw handle.isBad ? .unavailable(handle.errorText) : DatabaseError(result: result)
        }
        return (0..<PQnfields(result)).map { String(cString: PQgetvalue(result, 0, $0)) }
    }
}
