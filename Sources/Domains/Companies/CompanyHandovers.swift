import Core
import Postgres
import Wire

/// What of this domain hangs on a member.
extension CompaniesDomain {
    public static let handovers: [HandoverPart] = [
        HandoverPart(
            "invitations", "Who takes them over answers for them: they open only what he himself may give.",
            count: { who in
                """
                SELECT count(*) AS count FROM invitations
                 WHERE company_id = \(who.company) AND invited_by = \(who.user) AND state = 'pending'
                """
            },
            move: { from, to in
                [
                    """
                    UPDATE invitations SET invited_by = \(to.user), version = version + 1, updated_at = now()
                     WHERE company_id = \(from.company) AND invited_by = \(from.user) AND state = 'pending'
                    """
                ]
            }),
        HandoverPart(
            "join_links", "Who takes them over answers for them: they open only what he himself may give.",
            count: { who in
                """
                SELECT count(*) AS count FROM join_links
                 WHERE company_id = \(who.company) AND created_by = \(who.user) AND revoked_at IS NULL
                   AND expires_at > now()
                """
            },
            move: { from, to in
                [
                    """
                    UPDATE join_links SET created_by = \(to.user), version = version + 1
                     WHERE company_id = \(from.company) AND created_by = \(from.user) AND revoked_at IS NULL
                       AND expires_at > now()
                    """
                ]
            }),
        HandoverPart(
            "led_teams", "The other becomes their lead.",
            count: { who in
                """
                SELECT count(*) AS count FROM team_members
                 WHERE company_id = \(who.company) AND member_id = \(who.member) AND is_lead
                """
            },
            move: { from, to in
                [
                    Roster.add(
                        """
                        SELECT company_id, team_id, \(to.member)::uuid, true FROM team_members
                         WHERE company_id = \(from.company) AND member_id = \(from.member) AND is_lead
                        """, from.company),
                    """
                    UPDATE team_members SET is_lead = (member_id = \(to.member))
                     WHERE company_id = \(from.company) AND member_id IN (\(from.member), \(to.member))
                       AND team_id IN (SELECT led.team_id FROM team_members led
                                        WHERE led.company_id = \(from.company) AND led.member_id = \(from.member)
                                          AND led.is_lead)
                    """,
                ]
            }),
        HandoverPart("grants", "Roles on single things are given anew, by somebody who may.") { who in
            """
            SELECT count(*) AS count FROM object_grants
             WHERE company_id = \(who.company) AND member_id = \(who.member)
            """
        },
        HandoverPart("clients", "Entries to client companies end with the membership.") { who in
            """
            SELECT count(*) AS count FROM client_access
             WHERE company_id = \(who.company) AND member_id = \(who.member)
            """
        },
        HandoverPart("transfers", "A handing over of the company under way is called off.") { who in
            """
            SELECT count(*) AS count FROM ownership_transfers
             WHERE company_id = \(who.company) AND state = 'pending'
               AND (from_member_id = \(who.member) OR to_member_id = \(who.member))
            """
        },
    ]
}
