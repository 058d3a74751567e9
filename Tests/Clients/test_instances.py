"""Two instances on one database: what is decided at one holds at the other within a second."""
import time

import httpx
import pytest

from instance import two_instances
from people import PASSWORD, Person

# The promise is a second; the clock starts when the deciding answer has come.
WITHIN_SECONDS = 1.0


@pytest.fixture(scope="module")
def pair(cluster, mailbox):
    settings = {"DATABASE_URL": cluster.create("pair"), "INFINITY_SMTP_URL": f"smtp://127.0.0.1:{mailbox.port}"}
    # One installation has one address, which its tokens name, and one set of keys.
    settings["INFINITY_PUBLIC_URL"] = "https://pair.example"
    with two_instances(**settings) as both:
        yield both


@pytest.fixture(scope="module")
def founder(pair, mailbox):
    return Person(pair[0], mailbox).sign_up(company="Twice")


def until(client, method, path, statuses, **options):
    """Asks until one of the statuses comes; returns the seconds it took."""
    begun = time.monotonic()
    while True:
        status = client.request(method, path, **options).status_code
        if status in statuses:
            return time.monotonic() - begun
        assert time.monotonic() - begun < WITHIN_SECONDS, f"{method} {path} still gives {status} after {WITHIN_SECONDS} s"


def test_a_token_of_one_is_good_at_the_other(pair, founder):
    assert founder.at(pair[1]).get("/v1/auth/me").status_code == 200


def test_a_change_of_role_holds_at_the_other(pair, founder):
    colleague = founder.colleague("viewer")
    elsewhere = colleague.at(pair[1])
    assert elsewhere.get("/v1/teams").status_code == 200
    assert elsewhere.post("/v1/teams", json={"name": "Too early"}).status_code == 403
    founder.give_role(colleague.email, "manager")
    until(elsewhere, "POST", "/v1/teams", {201}, json={"name": "Allowed now"})
    founder.give_role(colleague.email, "viewer")
    until(elsewhere, "PATCH", "/v1/teams/00000000-0000-7000-8000-000000000000", {403}, json={"name": "x"})


def test_a_suspension_and_a_removal_hold_at_the_other(pair, founder):
    colleague = founder.colleague("member")
    elsewhere = colleague.at(pair[1])
    assert elsewhere.get("/v1/teams").status_code == 200
    member = founder.member_id(colleague.email)
    founder.expect(200, "PUT", f"/v1/members/{member}/suspension")
    until(elsewhere, "GET", "/v1/teams", {401, 403})
    leaver = founder.colleague("member")
    elsewhere = leaver.at(pair[1])
    assert elsewhere.get("/v1/teams").status_code == 200
    founder.expect(204, "DELETE", f"/v1/members/{founder.member_id(leaver.email)}")
    until(elsewhere, "GET", "/v1/teams", {401, 403})


def test_a_logout_and_a_new_password_hold_at_the_other(pair, founder):
    colleague = founder.colleague("member")
    elsewhere = colleague.at(pair[1])
    assert elsewhere.get("/v1/auth/me").status_code == 200
    colleague.expect(204, "POST", "/v1/auth/logout")
    until(elsewhere, "GET", "/v1/auth/me", {401})

    first, second = colleague.log_in(), Person(pair[0], colleague.mailbox, email=colleague.email).log_in()
    elsewhere = second.at(pair[1])
    assert elsewhere.get("/v1/auth/me").status_code == 200
    answer = first.http.put("/v1/auth/password", json={"current_password": PASSWORD, "new_password": "Another-horse-8-battery"})
    assert answer.status_code in (200, 204), answer.text
    until(elsewhere, "GET", "/v1/auth/me", {401})


def test_a_revoked_key_is_refused_at_the_other(pair, founder):
    key = founder.expect(201, "POST", "/v1/api-keys", json={"name": "Nightly", "scopes": ["teams:read"]})
    elsewhere = httpx.Client(base_url=pair[1].url, headers={"Authorization": f"Bearer {key['key']}"}, timeout=20)
    assert elsewhere.get("/v1/teams").status_code == 200
    assert elsewhere.post("/v1/teams", json={"name": "No"}).status_code == 403
    founder.expect(204, "DELETE", f"/v1/api-keys/{key['id']}")
    until(elsewhere, "GET", "/v1/teams", {401})


def test_mail_is_sent_once_by_whichever_instance_is_free(pair, founder, mailbox):
    before = len(mailbox.messages)
    addresses = [f"many{n}@pair.example" for n in range(10)]
    for address in addresses:
        founder.expect(201, "POST", "/v1/invitations", json={"email": address})
    for address in addresses:
        mailbox.wait_for(address)
    sent = [message.recipients[0] for message in mailbox.messages[before:]]
    assert sorted(address for address in sent if address in addresses) == sorted(addresses)
