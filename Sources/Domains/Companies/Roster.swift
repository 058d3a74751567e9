import Postgres
import Wire

/// Who is in which team. The team's count changes in the same statement, and with it the team's version.
enum Roster {
    /// Puts people into teams; who is there already stays as he is. `places` gives company, team, member and whether
    /// he leads.
    static func add(_ places: SQL, _ company: UUID) -> SQL {
        """
        WITH added AS (
            INSERT INTO team_members (company_id, team_id, member_id, is_lead) \(fragment: places)
            ON CONFLICT DO NOTHING RETURNING team_id),
        counted AS (SELECT team_id, count(*) AS people FROM added GROUP BY team_id)
        UPDATE teams SET member_count = member_count + counted.people, version = version + 1
          FROM counted WHERE teams.company_id = \(company) AND teams.id = counted.team_id
        """
    }

    /// Takes a person out of a team, or out of all teams when none is named. `affected` says of how many.
    static func remove(_ member: UUID, from team: UUID? = nil, _ company: UUID) -> SQL {
        let one: SQL = team.map { " AND team_id = \($0)" } ?? ""
        return """
            WITH gone AS (
                DELETE FROM team_members WHERE company_id = \(company) AND member_id = \(member)\(fragment: one)
                RETURNING team_id)
            UPDATE teams SET member_count = member_count - 1, version = version + 1
              FROM gone WHERE teams.company_id = \(company) AND teams.id = gone.team_id
            """
    }
}
