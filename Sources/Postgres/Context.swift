/// What a transaction must know before its first statement: for whom it runs, as whom, and for how long at most. One
/// SELECT of `set_config(…, true)` says it all; the transaction's end forgets it.
struct Context {
    var tenant = Tenant.none
    var statementDeadline: Duration?
    var lockDeadline: Duration?
    var idleDeadline: Duration?

    /// Nil when there is nothing to say. `role` is to be taken where the session cannot keep it.
    func sql(role: String?) -> SQL? {
        var bound: [SQL.Bound] = []
        var variant = 0
        func add(_ bit: Int, _ value: SQLValue?) {
            guard let value else { return }
            if variant == 0 { bound.reserveCapacity(Self.names.count) }
            variant |= 1 << bit
            bound.append(SQL.Bound(value: value, offset: 0))
        }
        // The role comes last: what it may not set must be set before.
        add(0, tenant.company.map { .uuid($0) })
        add(1, tenant.user.map { .uuid($0) })
        add(2, statementDeadline.map { .text("\($0.milliseconds)") })
        add(3, lockDeadline.map { .text("\($0.milliseconds)") })
        add(4, idleDeadline.map { .text("\($0.milliseconds)") })
        add(5, role.map { .text($0) })
        return variant == 0 ? nil : SQL(fixed: Self.texts[variant], bound: bound)
    }

    private static let names = [
        "app.company_id", "app.user_id", "statement_timeout", "lock_timeout",
        "idle_in_transaction_session_timeout",
        "role",
    ]

    /// The text for every choice of settings, so that none is put together on the way of a request.
    private static let texts: [String] = (0..<1 << names.count).map { variant in
        let chosen = names.enumerated().filter { variant & 1 << $0.offset != 0 }.map(\.element)
        let calls = chosen.enumerated().map { offset, name in
            "set_config('\(name)', $\(offset + 1)\(name.hasPrefix("app.") ? "::uuid::text" : ""), true)"
        }
        return "SELECT " + calls.joined(separator: ", ")
    }
}

/// What precedes the first statements of a transaction.
struct Opening {
    /// Nil where the statements are a transaction by being sent together.
    var begin: Isolation?
    var context: Context

    /// Puts these statements before the caller's own; gives how many they are.
    func lay(role: String?, into steps: inout [SQL]) -> Int {
        if let begin { steps.append(SQL(fixed: begin.begin, bound: [])) }
        if let context = context.sql(role: role) { steps.append(context) }
        return steps.count
    }
}
