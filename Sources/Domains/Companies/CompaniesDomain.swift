import API
import Core
import Loop
import Outbound
import Postgres

/// Companies and the people in them: founding and deletion, members, invitations, roles, teams, an agency's clients.
///
/// Owns companies, memberships, roles, member_roles, teams, team_members, invitations and what hangs on them,
/// member_attributes, access_reviews, access_review_items, join_links, join_requests, company_domains, verified_domains, web_origins, client_access, ownership_transfers and the company's rules. Reads users. Offers the ports
/// by which a sign-up founds a company or accepts an invitation and a deleted account leaves its companies.
public enum CompaniesDomain: Domain {
    public static let name = "Companies"
    public static let summary = "Companies, members, invitations, roles and teams."

    public static var routes: [Route] {
        Companies.routes + CompanyLogo.routes + CompanySettingsRoutes.routes + CompanyWebOrigins.routes
            + ClientCompanies.routes + Ownership.routes
            + Members.routes + MemberExport.routes + Invitations.routes + InvitationAnswers.routes
            + JoinLinks.routes + ServiceAccounts.routes + CompanyDomains.routes
            + DomainJoining.routes + Grants.routes
            + InvitationBatch.routes + InvitationChanges.routes + InvitationRedirection.routes
            + MemberAttributes.routes
            + AccessReviews.routes + LeastRole.routes + Roles.routes + AccessQuestions.routes + Teams.routes
            + Activity.routes + CompanyPages.routes
    }

    public static let permissions: [Permission] = [
        .companyRead, .companyWrite, .companyDelete, .ownershipWrite, .securityWrite, .clientsRead,
        .clientsWrite,
        .membersRead, .membersWrite, .membersExport, .invitationsRead, .invitationsWrite, .rolesRead,
        .rolesWrite,
        .rolesAssign, .accessRead, .teamsRead, .teamsWrite, .activityRead, .serviceAccountsRead,
        .serviceAccountsWrite, .domainsRead, .domainsWrite,
        .accessReviewsRead, .accessReviewsWrite,
    ]

    public static let events = CompanyEvents.all
    public static let grantableObjects: [GrantableObject] = [.team]
    public static let problems = ProblemCode.ofCompanies
    public static let constraints = ConstraintProblem.ofCompanies
    public static let workers = [CompanyPurge.worker, DomainProof.worker]
    public static let jobs = [AccessReviewReminders.handler]
    public static let notifications = CompanyNews.all
    public static let watchables = CompanyNews.watchables

    public static func start(_ environment: inout Environment) async throws {
        let links = Links(publicURL: environment[PublicAddress.self].url)
        environment.set(links)
        environment.set(Founding.port)
        environment.set(Acceptance.port(links))
        environment.set(Leaving.port)
        environment.set(DomainJoining.port)
        if let news = environment.find(CacheNews.self), let database = environment.find(Database.self) {
            let origins = WebOrigins()
            environment.set(origins)
            CompanyWebOrigins.follow(news, database, into: origins)
        }
        let servers = environment.find(Settings.self)?.nameServers.compactMap { TextRecords.Server($0) } ?? []
        environment.set(TextRecords(servers: servers, pool: .names))
    }
}
