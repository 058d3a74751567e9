import API
import App
import Glibc
import Testing

/// No change without its record: each route that may change something names the act it records, or why it records none.
@Suite struct EveryChangeTests {
    /// Routes by the longest beginning that fits, with the act they record.
    private static let acts = ownActs.merging(crmActs) { own, _ in own }

    private static let ownActs: [String: String] = [
        "POST /v1/auth/impersonation": "member.impersonated",
        "POST /v1/admin/users/{id}/impersonation": "member.impersonated",
        "POST /v1/api-keys": "api_key.created", "PATCH /v1/api-keys/{id}": "api_key.changed",
        "DELETE /v1/api-keys/{id}": "api_key.revoked", "POST /v1/api-keys/{id}/rotate": "api_key.rotated",
        "POST /v1/companies": "company.founded", "PATCH /v1/companies/{id}": "company.changed",
        "POST /v1/companies/{id}/deletion": "company.deletion_asked",
        "POST /v1/companies/{id}/restoration": "company.restored",
        "PUT /v1/company/logo": "company.logo_changed",
        "DELETE /v1/company/logo": "company.logo_changed",
        "PATCH /v1/company/settings": "company.settings_changed",
        "PUT /v1/company/working-calendar": "company.calendar_changed",
        "PUT /v1/company/web-origins": "company.web_origins_changed",
        "PUT /v1/company/security-policy": "company.security_policy_changed",
        "POST /v1/client-companies": "client_company.founded",
        "PUT /v1/client-companies/{id}/staff": "client_company.access_granted",
        "DELETE /v1/client-companies/{id}/staff/{member_id}": "client_company.access_withdrawn",
        "DELETE /v1/client-companies/{id}": "client_company.released",
        "POST /v1/company/ownership-transfer": "ownership.transfer_asked",
        "POST /v1/company/ownership-transfer/confirmation": "ownership.transferred",
        "DELETE /v1/company/ownership-transfer": "ownership.transfer_cancelled",
        "PATCH /v1/members/{id}": "member.changed", "DELETE /v1/members/{id}": "member.removed",
        "POST /v1/members/{id}/handover": "member.handed_over",
        "PUT /v1/members/{id}/roles": "member.roles_changed",
        "PUT /v1/members/{id}/suspension": "member.suspended",
        "DELETE /v1/members/{id}/suspension": "member.restored", "POST /v1/company/departure": "member.left",
        "POST /v1/invitations": "invitation.sent", "DELETE /v1/invitations/{id}": "invitation.revoked",
        "POST /v1/invitations/{id}/resending": "invitation.resent",
        "PATCH /v1/invitations/{id}": "invitation.changed",
        "POST /v1/invitations/redirection": "invitation.redirect_asked",
        "POST /v1/invitations/{id}/redirection": "invitation.redirected",
        "POST /v1/member-attributes": "member_attribute.created",
        "PATCH /v1/member-attributes": "member_attribute.changed",
        "DELETE /v1/member-attributes": "member_attribute.deleted",
        "POST /v1/access-reviews": "access_review.opened",
        "PUT /v1/access-reviews/{id}/items/{item_id}/decision": "access_review.decided",
        "PUT /v1/access-reviews/{id}/decisions": "access_review.decided",
        "POST /v1/access-reviews/{id}/closure": "access_review.closed",
        "POST /v1/invitations/acceptance": "invitation.accepted",
        "POST /v1/invitations/refusal": "invitation.declined",
        "POST /v1/join-links": "join_link.created", "DELETE /v1/join-links/{id}": "join_link.revoked",
        "POST /v1/join-links/use": "member.joined_by_link", "POST /v1/join-requests": "member.joined_by_link",
        "POST /v1/service-accounts": "service_account.created",
        "PATCH /v1/service-accounts": "service_account.changed",
        "DELETE /v1/service-accounts": "service_account.removed", "POST /v1/roles": "role.created",
        "PATCH /v1/roles/{id}": "role.changed", "DELETE /v1/roles/{id}": "role.deleted",
        "POST /v1/teams": "team.created", "PATCH /v1/teams/{id}": "team.changed",
        "DELETE /v1/teams/{id}": "team.deleted",
        "POST /v1/teams/{id}/members": "team.member_added",
        "PATCH /v1/teams/{id}/members/{member_id}": "team.member_changed",
        "DELETE /v1/teams/{id}/members/{member_id}": "team.member_removed",
        "POST /v1/projects": "project.created", "PATCH /v1/projects/{id}": "project.changed",
        "DELETE /v1/projects/{id}": "project.deleted", "POST /v1/projects/bulk": "project.deleted",
        "POST /v1/projects/{id}/activate": "project.activated", "POST /v1/projects/{id}/hold": "project.held",
        "POST /v1/projects/{id}/complete": "project.completed",
        "POST /v1/projects/{id}/archive": "project.archived",
        "POST /v1/projects/{id}/restore": "project.restored",
        "POST /v1/projects/{id}/duplicate": "project.created",
        "/v1/projects/{id}/members": "project.member_", "/v1/projects/{id}/cover": "project.cover_changed",
        "/v1/projects/{id}/states": "project.state", "/v1/projects/{id}/budget": "project.budget_changed",
        "/v1/projects/{id}/costs": "project.cost_", "/v1/projects/{id}/milestones": "project.milestone_",
        "/v1/projects/{id}/goals": "project.goal_",
        "POST /v1/projects/{id}/template": "project_template.created",
        "/v1/project-templates": "project_template.",
        "POST /v1/project-templates/built-in": "project.created",
        "POST /v1/project-templates/{id}/instantiate": "project.created",
        "POST /v1/project-trash": "project.undeleted", "DELETE /v1/project-trash": "project.purged",
        "/v1/time-entries": "time_entry.", "/v1/timesheets": "timesheet.", "/v1/timer": "time_entry.created",
        "/v1/intake": "project.request_",
        "POST /v1/webhook-endpoints": "webhook_endpoint.created",
        "PATCH /v1/webhook-endpoints/{id}": "webhook_endpoint.changed",
        "DELETE /v1/webhook-endpoints/{id}": "webhook_endpoint.deleted",
        "POST /v1/webhook-endpoints/{id}/enable": "webhook_endpoint.enabled",
        "POST /v1/webhook-endpoints/{id}/rotate-secret": "webhook_endpoint.secret_rotated",
        "POST /v1/webhook-endpoints/{id}/test": "webhook_endpoint.tested",
        "POST /v1/webhook-endpoints/{id}/recover": "webhook_endpoint.recovered",
        "POST /v1/webhook-messages/{id}/resend": "webhook_message.resent",
        "PATCH /v1/files/{id}": "file.changed", "POST /v1/files": "file.uploaded",
        "DELETE /v1/files/{id}": "file.deleted",
        "POST /v1/file-deletions": "file.deleted", "POST /v1/files/{id}/restoration": "file.restored",
        "POST /v1/file-restorations": "file.restored", "DELETE /v1/file-trash": "file.purged",
        "POST /v1/privacy/exports": "privacy.export_asked",
        "POST /v1/privacy/exports/{id}/download-url": "privacy.export_opened",
        "POST /v1/privacy/erasures": "privacy.erasure_planned",
        "POST /v1/privacy/erasures/{id}/confirm": "privacy.erasure_confirmed",
        "POST /v1/privacy/erasures/{id}/cancel": "privacy.erasure_cancelled", "POST /v1/consents": "consent.",
        "PUT /v1/retention-policies/{name}": "retention.changed",
        "DELETE /v1/retention-policies/{name}": "retention.changed",
        "POST /v1/legal-holds": "legal_hold.placed",
        "DELETE /v1/legal-holds/{id}": "legal_hold.released", "POST /v1/feature-flags": "flag.",
        "PATCH /v1/feature-flags": "flag.", "PUT /v1/feature-flags": "flag.",
        "DELETE /v1/feature-flags": "flag.",
        "POST /v1/segments": "segment.", "PATCH /v1/segments": "segment.", "DELETE /v1/segments": "segment.",
        "/v1/system/feature-flags": "flag.", "/v1/system/segments": "segment.", "/v1/settings": "setting.",
        "/v1/system/settings": "setting.", "/v1/config-changes": "config_change.",
        "/v1/system/config-changes": "config_change.",
        "PUT /v1/system/companies/{company_id}/plan": "company.plan_set",
        "PUT /v1/system/companies/{company_id}/quotas/{quota}": "quota.limit_set",
        "DELETE /v1/system/companies/{company_id}/quotas/{quota}": "quota.limit_cleared",
        "POST /v1/quota-grants": "quota.granted", "POST /v1/jobs/{id}/retry": "job.retried",
        "POST /v1/jobs/{id}/cancel": "job.cancelled", "POST /v1/jobs/retry": "jobs.retried",
        "POST /v1/jobs/cancel": "jobs.cancelled", "POST /v1/system/jobs/{id}/retry": "job.retried",
        "POST /v1/system/jobs/{id}/cancel": "job.cancelled", "POST /v1/system/jobs/retry": "jobs.retried",
        "POST /v1/system/jobs/cancel": "jobs.cancelled", "PATCH /v1/job-queues/{name}": "job_queue.changed",
        "PATCH /v1/cron/{name}": "schedule.changed", "POST /v1/cron/{name}/run": "schedule.run",
        "PATCH /v1/event-reactions/{name}": "reaction.changed",
        "POST /v1/event-failures/{id}/retry": "event_failure.retried",
        "PUT /v1/system/plan-limits/{plan}/{quota}": "plan_limit.set",
        "DELETE /v1/system/plan-limits/{plan}/{quota}": "plan_limit.cleared",
        "POST /v1/audit-exports": "audit.export_asked",
        "POST /v1/audit-exports/{id}/download-url": "audit.export_opened",
        "POST /v1/audit-viewers": "audit.viewer_made",
        "DELETE /v1/audit-viewers/{id}": "audit.viewer_revoked",
        "POST /v1/audit-streams": "audit_stream.created",
        "PATCH /v1/audit-streams/{id}": "audit_stream.changed",
        "DELETE /v1/audit-streams/{id}": "audit_stream.deleted",
        "POST /v1/audit-streams/{id}/test": "audit_stream.tested",
        "POST /v1/email-suppressions": "email_suppression.made",
        "POST /v1/email-bounces": "email_suppression.made",
        "DELETE /v1/email-suppressions": "email_suppression.lifted",
        "POST /v1/notification-rules": "notification_rule.created",
        "PATCH /v1/notification-rules": "notification_rule.changed",
        "DELETE /v1/notification-rules": "notification_rule.deleted",
        "POST /v1/notification-templates": "notification_template.created",
        "PATCH /v1/notification-templates": "notification_template.changed",
        "DELETE /v1/notification-templates": "notification_template.deleted",
        "POST /v1/notification-templates/{id}/test": "notification_template.tested",
        "POST /v1/notification-batches": "notification.cancelled",
        "POST /v1/notification-deliveries": "notification_delivery.retried",
        "POST /v1/notifications/send": "notification.sent",
        "PUT /v1/notification-defaults": "notification_defaults.changed",
        "POST /v1/sso-connections": "sso_connection.created",
        "PATCH /v1/sso-connections": "sso_connection.changed",
        "DELETE /v1/sso-connections": "sso_connection.removed", "POST /v1/domains": "domain.added",
        "PATCH /v1/domains": "domain.changed", "DELETE /v1/domains": "domain.removed",
        "POST /v1/domains/{id}/verification": "domain.verified", "POST /v1/grants": "grant.created",
        "POST /v1/tags": "tag.created", "PATCH /v1/tags": "tag.changed", "DELETE /v1/tags": "tag.deleted",
        "POST /v1/tags/{id}/merge": "tag.merged", "POST /v1/custom-fields": "custom_field.created",
        "PUT /v1/custom-fields/order": "custom_field.ordered",
        "PATCH /v1/custom-fields": "custom_field.changed",
        "DELETE /v1/custom-fields": "custom_field.deleted", "POST /v1/comments": "comment.created",
        "PATCH /v1/comments": "comment.changed", "DELETE /v1/comments": "comment.deleted",
        "POST /v1/comments/{id}/resolve": "comment.resolved",
        "POST /v1/comments/{id}/reopen": "comment.reopened",
        "POST /v1/saved-views": "saved_view.created", "PATCH /v1/saved-views": "saved_view.changed",
        "DELETE /v1/saved-views": "saved_view.deleted", "POST /v1/imports": "import.created",
        "POST /v1/imports/{id}/dry-run": "import.tried", "POST /v1/imports/{id}/start": "import.started",
        "POST /v1/imports/{id}/cancel": "import.cancelled",
        "POST /v1/imports/{id}/undo": "import.undo_started",
        "DELETE /v1/imports": "import.forgotten", "POST /v1/exports": "export.started",
        "POST /v1/exports/direct": "export.taken", "POST /v1/calendar/feeds": "calendar_feed.created",
        "POST /v1/tasks": "task.created", "POST /v1/tasks/{id}/subtasks": "task.created",
        "POST /v1/tasks/{id}/duplicate": "task.created", "DELETE /v1/tasks/{id}": "task.deleted",
        "POST /v1/tasks/{id}/restore": "task.restored", "POST /v1/tasks/bulk": "tasks.changed",
        "POST /v1/recurring-tasks": "recurring_task.created",
        "PATCH /v1/recurring-tasks": "recurring_task.changed",
        "DELETE /v1/recurring-tasks": "recurring_task.deleted",
        "POST /v1/recurring-tasks/{id}/pause": "recurring_task.paused",
        "POST /v1/recurring-tasks/{id}/resume": "recurring_task.resumed",
        "POST /v1/recurring-tasks/{id}/skip-next": "recurring_task.skipped",
        "DELETE /v1/calendar/feeds": "calendar_feed.revoked", "DELETE /v1/grants": "grant.removed",
        "POST /v1/joinable-companies": "member.joined_by_",
        "POST /v1/projects/{id}/sprints": "sprint.created",
        "PATCH /v1/projects/{id}/sprint-settings": "project.sprint_settings_changed",
        "PATCH /v1/sprints/{id}": "sprint.changed", "DELETE /v1/sprints/{id}": "sprint.deleted",
        "POST /v1/sprints/{id}/start": "sprint.started", "POST /v1/sprints/{id}/close": "sprint.closed",
        "POST /v1/sprints/{id}/reopen": "sprint.reopened",
        "PUT /v1/sprints/{id}/capacity": "sprint.capacity_changed",
    ]

    /// Routes that record none there, and why.
    private static let exempt = ownExempt.merging(crmExempt) { own, _ in own }

    private static let ownExempt: [String: String] = [
        "/v1/auth/": "the person's own record, auth_events, which she reads at /v1/auth/security-events",
        "/v1/admin/": "the operators', on a person's account: auth_events, which the person reads",
        "/v1/projects/{id}/favourite": "one's own choices",
        "POST /v1/timer/start": "time is recorded when the timer is stopped",
        "POST /v1/invitations/preview": "only looks", "POST /v1/authz/check": "only asks",
        "POST /v1/files/{id}/download-url": "only reads, with the right to read",
        "POST /v1/file-archives": "only reads, with the right to read",
        "/v1/uploads": "bytes on their way: the file is recorded when it is whole, file.uploaded",
        "POST /v1/privacy/receipts": "only reads", "POST /v1/feature-flags/{key}/evaluation": "only asks",
        "POST /v1/feature-flags/{key}/preview": "only asks",
        "POST /v1/notification-templates/{id}/preview": "only looks",
        "POST /v1/projects/{id}/sprints/check-dates": "only asks",
        "/v1/sprints/{id}/tasks": "recorded in the tasks' own history and in that of the sprint's scope",
        "/v1/notifications/": "one's own inbox", "/v1/notification-preferences": "one's own choices",
        "/v1/notification-schedule": "one's own choices", "/v1/subscriptions": "one's own choices",
        "POST /v1/public/unsubscribe": "one's own choices",
        "POST /v1/job-rehearsals": "the operators', and only a rehearsal",
        "POST /v1/audit-verifications": "only reads",
        "POST /v1/sso-connections/{id}/test": "only asks the provider", "/ofrep/": "only asks",
        "/v1/ofrep/": "only asks",
        "PUT /v1/comments/{id}/reactions": "a sign under a comment, seen where it stands",
        "DELETE /v1/comments/{id}/reactions": "a sign under a comment, seen where it stands",
        "PUT /v1/saved-views/{id}": "one's own choices", "DELETE /v1/saved-views/{id}/": "one's own choices",
        "PATCH /v1/tasks/{id}": "the task's own history, field by field, at /v1/tasks/{id}/history",
        "PUT /v1/tasks/{id}/": "the task's own history, field by field, at /v1/tasks/{id}/history",
        "POST /v1/tasks/{id}/": "the task's own history, field by field, at /v1/tasks/{id}/history",
        "DELETE /v1/tasks/{id}/": "the task's own history, field by field, at /v1/tasks/{id}/history",
        "PATCH /v1/imports": "how a file is read; its run is recorded",
        "POST /v1/exports/{id}/cancel": "stops one's own export; what was taken is recorded",
    ]

    private static func longest(_ route: String, _ path: String, _ names: Dictionary<String, String>.Keys)
        -> String?
    {
        names.filter { route.hasPrefix($0) || path.hasPrefix($0) }.max { $0.count < $1.count }
    }

    private static var changing: [(route: String, path: String)] {
        Instance.routes.flatMap(\.routes).filter { ![.get, .head, .options].contains($0.method) }
            .map { ("\($0.method.name) \($0.path)", $0.path) }
    }

    @Test func `every route that changes something records it, or says why not`() {
        for (route, path) in Self.changing {
            let act = Self.longest(route, path, Self.acts.keys)
            let reason = Self.longest(route, path, Self.exempt.keys)
            #expect(act != nil || reason != nil, "\(route) names neither its act nor why it records none")
        }
        for name in Array(Self.acts.keys) + Array(Self.exempt.keys) {
            #expect(
                Self.changing.contains { $0.route.hasPrefix(name) || $0.path.hasPrefix(name) },
                "\(name) fits no route")
        }
    }

    @Test func `every act that is named is recorded somewhere`() throws {
        let here = "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        let text = try Self.sources(in: here + "/Sources/Domains")
        for act in Set(Self.acts.values) { #expect(text.contains("\"\(act)"), "nothing records \(act)") }
    }

    /// All the domains' sources as one text.
    private static func sources(in folder: String) throws -> String {
        var text = ""
        let directory = try #require(opendir(folder))
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasPrefix(".") { continue }
            let path = "\(folder)/\(name)"
            guard name.hasSuffix(".swift") else {
                text += try sources(in: path)
                continue
            }
            let file = try #require(fopen(path, "r"))
            defer { fclose(file) }
            var bytes = [UInt8](repeating: 0, count: 1 << 20)
            let count = fread(&bytes, 1, bytes.count, file)
            text += String(decoding: bytes[..<count], as: UTF8.self)
        }
        return text
    }
}
