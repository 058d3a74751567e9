import API

extension ProblemCode {
    public static let slugTaken = ProblemCode(
        "slug-taken", 409, "Another company uses this short name", advice: "Choose another `slug`.")
    public static let tooManyCompanies = ProblemCode(
        "too-many-companies", 409, "You own as many companies as one person may",
        advice: "Hand one over or delete it first.")
    public static let companyNotActive = ProblemCode(
        "company-not-active", 409, "This company is suspended or being deleted",
        advice: "Ask one of its owners.")
    public static let companyNotDeleting = ProblemCode(
        "company-not-being-deleted", 409, "This company is not being deleted",
        advice: "There is nothing to restore.")
    public static let confirmationMismatch = ProblemCode(
        "confirmation-mismatch", 422, "The confirmation does not match",
        advice: "Repeat the company's `slug` exactly, to show that you mean this one.")
    public static let hasClientCompanies = ProblemCode(
        "has-client-companies", 409, "This company still has client companies",
        advice: "Release or delete the client companies first.")
    public static let notAMember = ProblemCode(
        "not-a-member", 403, "You are not an active member of this company",
        advice: "Switch to another company, or ask to be let in again.")
    public static let lastOwner = ProblemCode(
        "last-owner", 409, "A company must keep an active owner",
        advice: "Make another member an owner first, or hand the company over.")
    public static let grantExceedsOwnRights = ProblemCode(
        "grant-exceeds-own-rights", 403, "Nobody can give rights he does not hold",
        advice: "Leave out the permissions that the detail names, or ask somebody who holds them.")
    public static let memberOutranksYou = ProblemCode(
        "member-outranks-you", 403, "This member holds rights that you do not",
        advice: "Ask somebody who holds at least the same rights.")
    public static let memberIsSuspended = ProblemCode(
        "member-is-suspended", 409, "This membership is suspended",
        advice: "Somebody who may change members must restore it first.")
    public static let memberNotActive = ProblemCode(
        "member-not-active", 409, "This member is not active", advice: "Restore the membership first.")
    public static let memberNotSuspended = ProblemCode(
        "member-not-suspended", 409, "This member is not suspended", advice: "There is nothing to restore.")
    public static let agencyMember = ProblemCode(
        "member-of-the-agency", 409, "This person is here through the agency",
        advice: "The agency changes it under its client companies.")
    public static let useDeparture = ProblemCode(
        "use-departure", 409, "You cannot do this to yourself",
        advice: "To leave, call POST /v1/company/departure.")
    public static let alreadyAMember = ProblemCode(
        "already-a-member", 409, "This person is a member already",
        advice: "Change the member's roles instead.")
    public static let seatLimitReached = ProblemCode(
        "seat-limit-reached", 409, "All seats of the company are taken",
        advice: "Remove a member or get more seats; the invitation stays good until it expires.")
    public static let invitationUnknown = ProblemCode(
        "invitation-unknown", 404, "There is no such invitation", advice: "Use the link of the newest mail.")
    public static let invitationNotPending = ProblemCode(
        "invitation-not-pending", 409, "This invitation is no longer open",
        advice: "Ask for a new one; if it was accepted, simply sign in.")
    public static let invitationExpired = ProblemCode(
        "invitation-expired", 409, "This invitation has expired", advice: "Ask for a new one.")
    public static let invitationForAnother = ProblemCode(
        "invitation-for-another-address", 403, "This invitation was sent to another address",
        advice:
            "Sign in with the invited address, or ask for it at this one with POST /v1/invitations/redirection. The inviter has been told."
    )
    public static let emailNotVerified = ProblemCode(
        "email-not-verified", 403, "Your e-mail address is not confirmed yet",
        advice: "Confirm it by the mail you were sent, then try again.")
    public static let invitationWithoutRoles = ProblemCode(
        "invitation-without-roles", 409, "The roles of this invitation no longer exist",
        advice: "Ask for a new one.")
    public static let inviterLostRights = ProblemCode(
        "inviter-lost-rights", 409, "Whoever invited you may no longer give these roles",
        advice: "Ask somebody else in the company for a new invitation.")
    public static let redirectionNotAsked = ProblemCode(
        "redirection-not-asked", 409, "Nobody asks for this invitation at another address",
        advice: "Revoke it and invite the other address.")
    public static let invitationMailsSpent = ProblemCode(
        "invitation-mails-spent", 409, "This invitation was mailed as often as it may be",
        advice: "Check the address; revoke this invitation and send a new one.")
    public static let tooManyInvitations = ProblemCode(
        "too-many-invitations", 429, "The company has mailed as many invitations as it may in a day",
        advice: "Go on tomorrow, or let people join by a link.")
    public static let joinLinkUnknown = ProblemCode(
        "join-link-unknown", 404, "There is no such join link", advice: "Ask for a new link.")
    public static let joinLinkSpent = ProblemCode(
        "join-link-spent", 409, "This join link is no longer good", advice: "Ask for a new link.")
    public static let joinLinkOtherDomain = ProblemCode(
        "join-link-other-domain", 403, "This join link is for addresses of another domain",
        advice: "Sign in with an address of that domain, or ask for an invitation.")
    public static let joinRequestDecided = ProblemCode(
        "join-request-decided", 409, "This request has been decided", advice: "Read it again.")
    public static let roleIsBuiltIn = ProblemCode(
        "role-is-built-in", 409, "Built-in roles cannot be changed",
        advice: "Copy the role and change the copy.")
    public static let roleInUse = ProblemCode(
        "role-in-use", 409, "Members or join links still use this role",
        advice: "Give them other roles first.")
    public static let roleNameTaken = ProblemCode(
        "role-name-taken", 409, "A role of this name exists already", advice: "Choose another name.")
    public static let tooManyRoles = ProblemCode(
        "too-many-roles", 409, "The company has as many custom roles as it may", advice: "Delete one first.")
    public static let teamNameTaken = ProblemCode(
        "team-name-taken", 409, "A team of this name exists already", advice: "Choose another name.")
    public static let tooManyTeams = ProblemCode(
        "too-many-teams", 409, "The company has as many teams as it may", advice: "Delete one first.")
    public static let teamInUse = ProblemCode(
        "team-in-use", 409, "Join links still lead into this team", advice: "Revoke those join links first.")
    public static let tooManyJoinLinks = ProblemCode(
        "too-many-join-links", 409, "The company has as many live join links as it may",
        advice: "Revoke one first.")
    public static let transferUnknown = ProblemCode(
        "transfer-unknown", 404, "There is no such transfer to confirm",
        advice: "Begin the transfer again; a confirmation is good for a day and for one use.")
    public static let transferPending = ProblemCode(
        "transfer-pending", 409, "A transfer is under way already", advice: "Confirm or cancel it first.")
    public static let policyLocksYouOut = ProblemCode(
        "policy-locks-you-out", 409, "This rule would lock you out yourself",
        advice: "Put your own address on the list, or make the change from an address that is on it.")
    public static let notAnAgency = ProblemCode(
        "client-companies-cannot-nest", 409, "A client company cannot have client companies of its own",
        advice: "Work from the agency.")
    public static let tooManyClients = ProblemCode(
        "too-many-client-companies", 409, "The agency has as many client companies as it may",
        advice: "Release or delete one first.")

    public static let serviceAccountLimitReached = ProblemCode(
        "service-account-limit-reached", 409, "The company has as many service accounts as it may",
        advice: "Remove one first, or give one more keys.")

    public static let domainIsPublic = ProblemCode(
        "domain-is-public", 422, "Anybody can have an address at this domain",
        advice: "Add a domain of the company's own.")
    public static let domainKnown = ProblemCode(
        "domain-known", 409, "The company has this domain already", advice: "Verify or change it.")
    public static let domainTaken = ProblemCode(
        "domain-taken", 409, "Another company has verified this domain",
        advice:
            "If it is yours, remove it there, or take that company's record out of the zone: it loses the domain after a week."
    )
    public static let domainNotVerified = ProblemCode(
        "domain-not-verified", 409, "This domain is not verified yet", advice: "Verify it first.")
    public static let domainInUse = ProblemCode(
        "domain-in-use", 409, "The company's own provider is believed about this last domain",
        advice: "Disable the connection under /v1/sso-connections first.")
    public static let tooManyDomains = ProblemCode(
        "too-many-domains", 409, "The company has as many domains as it may", advice: "Remove one first.")
    public static let nameServersSilent = ProblemCode(
        "name-servers-silent", 503, "The name servers do not answer", advice: "Try again in a moment.")

    public static let grantExists = ProblemCode(
        "grant-exists", 409, "This role is given on this thing already", advice: "There is nothing to do.")
    public static let tooManyGrants = ProblemCode(
        "too-many-grants", 409, "The company has as many grants as it may",
        advice: "Give a role in the company instead, or to a team.")

    public static let attributeKeyTaken = ProblemCode(
        "attribute-key-taken", 409, "Members have an attribute of this key already",
        advice: "Choose another `key`.")
    public static let attributeNameTaken = ProblemCode(
        "attribute-name-taken", 409, "Members have an attribute of this name already",
        advice: "Choose another name.")
    public static let tooManyAttributes = ProblemCode(
        "too-many-attributes", 409, "Members have as many attributes as they may", advice: "Delete one first."
    )
    public static let attributeValuesDoNotFit = ProblemCode(
        "attribute-values-do-not-fit", 409, "A member has a value that is none of this kind or no option",
        advice: "Change those values first: GET /v1/members?attribute=key:value finds them.")

    public static let tooManyReviews = ProblemCode(
        "too-many-access-reviews", 409, "The company has as many access reviews as it may",
        advice: "Ask those who run the installation.")
    public static let reviewClosed = ProblemCode(
        "access-review-closed", 409, "This access review is closed", advice: "Open another one.")
    public static let reviewUndecided = ProblemCode(
        "access-review-undecided", 409, "Nobody has decided on some of the items",
        advice: "Decide on them, or say with `undecided` what becomes of them.")
    public static let ownAccess = ProblemCode(
        "own-access", 409, "Nobody reviews what he holds himself", advice: "Let somebody else decide on it.")

    static let ofCompanies: [ProblemCode] = [
        attributeKeyTaken, attributeNameTaken, tooManyAttributes, attributeValuesDoNotFit,
        tooManyReviews, reviewClosed, reviewUndecided, ownAccess,
        grantExists, tooManyGrants,
        domainIsPublic, domainKnown, domainTaken, domainNotVerified, domainInUse, tooManyDomains,
        nameServersSilent,
        serviceAccountLimitReached,
        slugTaken, tooManyCompanies, companyNotActive, companyNotDeleting, confirmationMismatch,
        hasClientCompanies,
        notAMember, lastOwner, grantExceedsOwnRights, memberOutranksYou, memberIsSuspended, memberNotActive,
        memberNotSuspended, agencyMember, useDeparture, alreadyAMember, seatLimitReached, invitationUnknown,
        invitationNotPending, invitationExpired, invitationForAnother, emailNotVerified,
        invitationWithoutRoles,
        inviterLostRights, redirectionNotAsked, invitationMailsSpent, tooManyInvitations, joinLinkUnknown,
        joinLinkSpent,
        joinLinkOtherDomain,
        joinRequestDecided, roleIsBuiltIn, roleInUse, roleNameTaken, tooManyRoles, teamNameTaken,
        tooManyTeams,
        teamInUse, tooManyJoinLinks, transferUnknown, transferPending, policyLocksYouOut, notAnAgency,
        tooManyClients,
    ]
}

extension ConstraintProblem {
    static let ofCompanies: [ConstraintProblem] = [
        ConstraintProblem("companies_slug_key", .slugTaken, pointer: "/slug"),
        ConstraintProblem("companies_never_ownerless", .lastOwner),
        ConstraintProblem("roles_name_key", .roleNameTaken, pointer: "/name"),
        ConstraintProblem("roles_key_key", .roleNameTaken, pointer: "/name"),
        ConstraintProblem("member_roles_role_fkey", .roleInUse),
        ConstraintProblem("join_links_role_fkey", .roleInUse),
        ConstraintProblem("join_links_team_fkey", .teamInUse),
        ConstraintProblem("company_domains_domain_key", .domainKnown, pointer: "/domain"),
        ConstraintProblem("company_domains_role_fkey", .roleInUse),
        ConstraintProblem("sso_connections_role_fkey", .roleInUse),
        ConstraintProblem("object_grants_of_member", .grantExists),
        ConstraintProblem("object_grants_of_team", .grantExists),
        ConstraintProblem("object_grants_role_fkey", .roleInUse),
        ConstraintProblem("member_attributes_key_key", .attributeKeyTaken, pointer: "/key"),
        ConstraintProblem("member_attributes_name_key", .attributeNameTaken, pointer: "/name"),
        ConstraintProblem("teams_name_key", .teamNameTaken, pointer: "/name"),
        ConstraintProblem("ownership_transfers_one_pending", .transferPending),
    ]
}
