import API
import Core
import Postgres
import Wire

/// How a company works: time zone and language, working days, what it asks of sign-ins, how full it is.
enum CompanySettingsRoutes {
    @RouteList static var routes: [Route] {
        GET("/v1/company/settings", "Read the company's settings", .can(.companyRead), read)
        PATCH("/v1/company/settings", "Change the company's settings", .can(.companyWrite), change)
        GET(
            "/v1/company/working-calendar", "Read working days and holidays", .can(.companyRead), readCalendar
        ).operation("getWorkingCalendar")
        PUT(
            "/v1/company/working-calendar", "Set working days and holidays", .can(.companyWrite),
            writeCalendar
        ).operation("setWorkingCalendar")
        GET(
            "/v1/company/security-policy", "Read what the company asks of sign-ins", .can(.companyRead),
            readPolicy
        ).operation("getSecurityPolicy")
        PUT(
            "/v1/company/security-policy", "Set what the company asks of sign-ins", .can(.securityWrite),
            writePolicy
        ).operation("setSecurityPolicy")
            .describe("Holds for everybody who enters the company, from the next request on.")
            .problems(.policyLocksYouOut)
        GET("/v1/company/usage", "See how full the company is", .can(.companyRead), usage)
    }

    static func read(_ call: Call) async throws -> Single<CompanySettings> {
        try Single(await call.db.query(select(call.company)))
    }

    static func change(_ call: Call, _ body: Patch<CompanySettingsChange>) async throws -> Single<
        CompanySettings
    > {
        let company = try call.company
        var changes = Changes()
        changes.set("time_zone", body.timeZone)
        changes.set("locale", body.locale)
        changes.set("currency", body.currency)
        changes.set("week_starts_on", body.weekStartsOn?.value)
        changes.set("allows_impersonation", body.allowsImpersonation)
        let rows = try await call.changeCompany(
            company, changes, as: "company.settings_changed", reading: select(company)
        ) { tx in
            // Whoever works in another's name at this moment is out with the next request.
            if body.allowsImpersonation == false {
                try await AccessChange.record(user: nil, company: company, in: tx)
            }
        }
        return try Single(rows)
    }

    private static func select(_ company: UUID) -> SQL {
        """
        SELECT time_zone, locale, currency, week_starts_on, allows_impersonation, version
          FROM companies WHERE id = \(company)
        """
    }

    static func readCalendar(_ call: Call) async throws -> Single<WorkingCalendar> {
        try Single(await call.db.query(selectCalendar(call.company)))
    }

    static func writeCalendar(_ call: Call, _ body: Body<WorkingCalendar>) async throws -> Single<
        WorkingCalendar
    > {
        let company = try call.company
        let days = Set(body.workingDays.items.map(\.value)).sorted()
        let holidays = Dictionary(body.holidays.items.map { ($0.on, $0.name.text) }) { first, _ in first }
            .sorted { $0.key < $1.key }
        let rows = try await call.db.batch([
            "UPDATE companies SET working_days = \(days), version = version + 1, updated_at = now() WHERE id = \(company)",
            "DELETE FROM company_holidays WHERE company_id = \(company)",
            """
            INSERT INTO company_holidays (company_id, on_date, name)
            SELECT \(company), day::date, name
              FROM unnest(\(holidays.map(\.key.description))::text[], \(holidays.map(\.value))::text[]) AS given (day, name)
            """,
            Audit.sql(
                Audit.Entry(
                    "company.calendar_changed", on: "company", company,
                    after: ["working_days": .array(days.map { JSON($0) }), "holidays": JSON(holidays.count)]),
                by: call.actor, company: company),
            selectCalendar(company),
        ])
        return try Single(rows[4])
    }

    private static func selectCalendar(_ company: UUID) -> SQL {
        """
        SELECT c.working_days,
               (SELECT coalesce(jsonb_agg(jsonb_build_object('on', h.on_date, 'name', h.name) ORDER BY h.on_date), '[]')
                  FROM company_holidays h WHERE h.company_id = c.id) AS holidays
          FROM companies c WHERE c.id = \(company)
        """
    }

    static func readPolicy(_ call: Call) async throws -> Single<SecurityPolicy> {
        try Single(await call.db.query(selectPolicy(call.company)))
    }

    static func writePolicy(_ call: Call, _ body: Body<SecurityPolicy>) async throws -> Single<SecurityPolicy>
    {
        let company = try call.company
        let policy = body.value
        guard !policy.loginMethods.isEmpty else {
            throw Problem.unprocessable("/login_methods", "required", "must leave some way in")
        }
        let ranges = policy.ipAllowList.items
        if !ranges.isEmpty,
            !ranges.contains(where: { $0.range?.contains(call.request.clientAddress) ?? false })
        {
            throw Problem(
                .policyLocksYouOut, "Your own address \(call.request.clientAddress) is not on the list.")
        }
        let rows = try await call.db.transaction { tx in
            let rows = try await tx.batch([
                """
                INSERT INTO company_security_policies (company_id, mfa_required, login_methods, session_idle_minutes,
                                                       session_max_hours, ip_allow_list, api_key_max_days, one_session)
                VALUES (\(company), \(policy.mfaRequired), \(policy.loginMethods), \(policy.sessionIdleMinutes?.value),
                        \(policy.sessionMaxHours?.value), \(ranges.map(\.text)), \(policy.apiKeyMaxDays?.value),
                        \(policy.oneSession ?? false))
                ON CONFLICT (company_id) DO UPDATE
                   SET mfa_required = excluded.mfa_required, login_methods = excluded.login_methods,
                       session_idle_minutes = excluded.session_idle_minutes, session_max_hours = excluded.session_max_hours,
                       ip_allow_list = excluded.ip_allow_list, api_key_max_days = excluded.api_key_max_days,
                       one_session = excluded.one_session,
                       version = company_security_policies.version + 1, updated_at = now()
                """,
                Audit.sql(
                    Audit.Entry(
                        "company.security_policy_changed", on: "company", company,
                        after: try JSON(encoding: policy)),
                    by: call.actor, company: company),
                selectPolicy(company),
            ])
            try await AccessChange.record(user: nil, company: company, in: tx)
            return rows
        }
        return try Single(rows[2])
    }

    /// A company that has said nothing asks for nothing.
    private static func selectPolicy(_ company: UUID) -> SQL {
        """
        SELECT coalesce(p.mfa_required, false) AS mfa_required, coalesce(p.login_methods, '{password,magic_link,social,sso}') AS login_methods,
               p.session_idle_minutes, p.session_max_hours, coalesce(p.ip_allow_list, '{}') AS ip_allow_list,
               p.api_key_max_days, coalesce(p.one_session, false) AS one_session
          FROM companies c
          LEFT JOIN company_security_policies p ON p.company_id = c.id
         WHERE c.id = \(company)
        """
    }

    static func usage(_ call: Call) async throws -> Single<CompanyUsage> {
        let company = try call.company
        return try Single(
            await call.db.query(
                """
                SELECT c.seats_used, c.seat_limit,
                       (SELECT count(*) FROM invitations i
                         WHERE i.company_id = c.id AND i.state = 'pending' AND i.expires_at > now()) AS pending_invitations,
                       (SELECT count(*) FROM memberships m
                         WHERE m.company_id = c.id AND m.status = 'suspended') AS suspended_members,
                       (SELECT count(*) FROM teams t WHERE t.company_id = c.id) AS teams,
                       (SELECT count(*) FROM roles r WHERE r.company_id = c.id AND NOT r.is_builtin) AS custom_roles,
                       (SELECT count(*) FROM companies k
                         WHERE k.parent_company_id = c.id AND k.status <> 'deleted') AS client_companies
                  FROM companies c WHERE c.id = \(company)
                """))
    }
}
