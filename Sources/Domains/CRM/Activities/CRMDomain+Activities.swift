import API
import Core
import Postgres

/// Calls, meetings, notes and the timeline of everything that happened with somebody.
extension CRMDomain {
    static let activitiesPart = CRMPart(
        routes: Activities.routes + ActivityLife.routes + Notes.routes + RecordTimeline.routes,
        problems: ProblemCode.ofActivities,
        constraints: ConstraintProblem.ofActivities,
        workers: [ActivityUpkeep.worker],
        personalData: [
            PersonalData(
                "activity_edits", "What notes about somebody said before",
                of: .rows { subject in
                    subject.email.map { "t.activity_id IN (\(fragment: activities(with: $0)))" }
                }, erase: .delete),
            PersonalData(
                "activities", "Calls, meetings, e-mails and notes about somebody",
                of: .rows { subject in
                    subject.email.map {
                        "(t.id IN (\(fragment: activities(with: $0))) OR lower(t.from_address) = \($0))"
                    }
                },
                erase: .blank(
                    """
                    title = 'Erased', body = NULL, outcome = NULL, participants = '{}', from_address = NULL,
                    to_addresses = '{}', external_id = NULL
                    """)),
            .none("activity_links", "which activity is about whom, by ids"),
            .none("crm_task_links", "which task is about whom, by ids"),
            .none("activity_upkeep", "when something is next due in a company's activities"),
        ],
        retention: [
            RetentionClass(
                "activity_trash", "Activities in the trash, counted from their deletion", table: "activities",
                since: "deleted_at", only: "t.deleted_at IS NOT NULL", days: ActivityLimits.trashDays,
                isSweptElsewhere: true)
        ],
        notifications: ActivityNews.all,
        watchables: [ActivityRegistered.watchable],
        events: ActivityEvents.all,
        handovers: [ActivityRegistered.handover],
        subjects: [ActivityRegistered.subject],
        exports: [ActivityRegistered.export],
        calendarSources: [ActivityRegistered.calendar],
        erasures: [ActivitiesErasure.erase])

    /// The activities about the person known by this address; `t` is the row of whose company they are.
    private static func activities(with email: String) -> SQL {
        """
        SELECT l.activity_id FROM activity_links l
          JOIN contact_identities i ON i.company_id = l.company_id AND i.contact_id = l.contact_id AND i.kind = 'email'
         WHERE l.company_id = t.company_id AND i.value_norm = \(email)
        """
    }
}
