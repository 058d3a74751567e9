"""Signing up, founding a company, inviting a colleague: told by the generated client over HTTPS."""
import pytest

from mailbox import token_of
from people import PASSWORD


@pytest.fixture(scope="module")
def story(server, mailbox, client_package):
    return Story(server, mailbox, client_package)


class Story:
    def __init__(self, server, mailbox, package):
        self.server, self.mailbox, self.package = server, mailbox, package
        self.trust = server.trust()

    def call(self, token, method, path, wanted, body=None, **parameters):
        client = self.package.client(self.server.https_url, token, self.trust)
        answer = self.package.call(client, method, path, body, **parameters)
        assert answer.status_code == wanted, f"{method} {path} gave {answer.status_code}: {answer.content[:1000]}"
        return answer.parsed

    def log_in(self, email):
        return self.call(None, "POST", "/v1/auth/login", 200, {"email": email, "password": PASSWORD}).access_token

    def sign_up(self, email, **more):
        return self.call(None, "POST", "/v1/auth/signup", 202, {"email": email, "password": PASSWORD, "name": "Grace Example", **more})


def test_a_colleague_can_do_exactly_what_the_role_allows(story):
    story.sign_up("grace@story.example", company_name="Story Ltd")
    story.call(None, "POST", "/v1/auth/email-verification/confirm", 200,
               {"token": token_of(story.mailbox.wait_for("grace@story.example"))})
    grace = story.log_in("grace@story.example")
    me = story.call(grace, "GET", "/v1/auth/me", 200)
    assert me.email == "grace@story.example"

    # A second company, founded once she is in, and entered by switching to it.
    company = story.call(grace, "POST", "/v1/companies", 201, {"name": "Story Abroad"})
    grace = story.call(grace, "POST", "/v1/auth/company", 200, {"company_id": str(company.id)}).access_token

    roles = {role.key: str(role.id) for role in story.call(grace, "GET", "/v1/roles", 200).data}
    story.call(grace, "POST", "/v1/invitations", 201, {"email": "linus@story.example", "role_ids": [roles["viewer"]]})
    invitation = token_of(story.mailbox.wait_for("linus@story.example", "invit"))
    story.sign_up("linus@story.example", invitation_token=invitation)
    linus = story.log_in("linus@story.example")

    # A viewer reads teams and members, and neither makes a team nor invites.
    team = story.call(grace, "POST", "/v1/teams", 201, {"name": "Launch"})
    assert [one.name for one in story.call(linus, "GET", "/v1/teams", 200).data] == ["Launch"]
    assert len(story.call(linus, "GET", "/v1/members", 200).data) == 2
    assert story.call(linus, "POST", "/v1/teams", 403, {"name": "Mine"}).code == "forbidden"
    story.call(linus, "POST", "/v1/invitations", 403, {"email": "eve@story.example"})
    story.call(linus, "PATCH", "/v1/teams/{id}", 403, {"name": "Mine"}, id=team.id)

    # The role changes, and from the very next request on it holds.
    member = next(one for one in story.call(grace, "GET", "/v1/members", 200).data if one.email == "linus@story.example")
    story.call(grace, "PUT", "/v1/members/{id}/roles", 200, {"role_ids": [roles["manager"]]}, id=member.id)
    story.call(linus, "POST", "/v1/teams", 201, {"name": "Mine"})
    story.call(grace, "PUT", "/v1/members/{id}/roles", 200, {"role_ids": [roles["viewer"]]}, id=member.id)
    story.call(linus, "POST", "/v1/teams", 403, {"name": "Mine too"})

    # What belongs to another company does not exist.
    story.sign_up("mallory@story.example", company_name="Elsewhere")
    story.call(None, "POST", "/v1/auth/email-verification/confirm", 200,
               {"token": token_of(story.mailbox.wait_for("mallory@story.example"))})
    mallory = story.log_in("mallory@story.example")
    story.call(mallory, "GET", "/v1/teams/{id}", 404, id=team.id)
    story.call(mallory, "PATCH", "/v1/teams/{id}", 404, {"name": "Taken"}, id=team.id)

    # Taken out of the company, there is no way in any more.
    story.call(grace, "DELETE", "/v1/members/{id}", 204, id=member.id)
    assert story.call(linus, "GET", "/v1/teams", 403).code == "company-access-ended"
