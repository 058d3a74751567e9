import Core

extension CompaniesDomain {
    public static let personalData: [PersonalData] = [
        .none("companies", "the companies themselves"),
        .none("company_deletions", "companies that are about to be deleted"),
        .none("company_security_policies", "what a company asks of its people's sign-in"),
        .none("company_holidays", "days a company does not work"),
        .none("roles", "roles and what they permit"),
        PersonalData(
            "team_members", "Teams somebody is in", of: ofMember("member_id"), erase: .delete),
        PersonalData("member_roles", "Roles somebody has", of: ofMember("member_id"), erase: .delete),
        .none("teams", "teams of the company"),
        .none("member_attributes", "what a company keeps about its people, without the values"),
        PersonalData(
            "access_review_items", "What somebody held when it was reviewed", of: ofMember("member_id"),
            .user("granted_by"), .user("decided_by"),
            erase: .keep(
                "Who could do what, and who decided on it, has to stay explainable. It names people by their ids."
            )),
        PersonalData(
            "access_reviews", "Reviews of who may do what", of: .user("opened_by"), .user("closed_by"),
            erase: .keep(
                "Who reviewed the company's rights has to stay explainable. It names people by their ids.")),
        PersonalData(
            "object_grants", "Roles on single things", of: ofMember("member_id"), .user("granted_by"),
            erase: .keep(
                "Who may do what, and who has given it, has to stay explainable. It names people by their ids."
            )),
        .none("invitation_roles", "roles an invitation gives"),
        .none("invitation_teams", "teams an invitation leads into"),
        PersonalData(
            "invitations", "Invitations sent to the address", of: .email("email_norm"),
            erase: .blank(
                """
                email = 'erased-' || id || '@erased.invalid', email_norm = 'erased-' || id || '@erased.invalid',
                name = NULL, message = NULL,
                state = CASE state WHEN 'pending' THEN 'revoked' ELSE state END
                """)),
        .none("company_domains", "e-mail domains of companies"),
        .none("verified_domains", "which company a domain belongs to"),
        .none("web_origins", "web pages from which a company lets the API be called"),
        .none("join_links", "links by which people may join"),
        PersonalData("join_requests", "Requests to join the company", of: .user("user_id"), erase: .delete),
        PersonalData(
            "client_access", "Client companies somebody may enter", of: ofMember("member_id"), erase: .delete),
        PersonalData(
            "ownership_transfers", "Handing over of the company", of: ofMember("from_member_id"),
            ofMember("to_member_id"),
            erase: .keep(
                "Who owned the company, and since when, has to stay provable. It names members by their id.")),
        PersonalData(
            "memberships", "Membership of the company, with title and attributes", of: .user("user_id"),
            erase: .blank("title = NULL, attributes = '{}'")),
    ]

    private static func ofMember(_ column: String) -> PersonalData.Mark {
        .rows { subject in
            subject.user.map { user in
                """
                t.\(unescaped: column) IN (SELECT m.id FROM memberships m
                                            WHERE m.company_id = t.company_id AND m.user_id = \(user))
                """
            }
        }
    }
}
