"""People who use the API with nothing but httpx: signing up, inviting, logging in."""
import itertools
import os

import httpx

from mailbox import token_of

_numbers = itertools.count(1)
PASSWORD = "Correct-horse-7-battery"


class Person:
    """One person at one server, with an address of her own and the tokens she was given."""

    def __init__(self, server, mailbox, email=None, url=None):
        self.mailbox = mailbox
        self.email = email or f"person{next(_numbers)}-{os.urandom(3).hex()}@clients.example"
        self.name = "Ada Example"
        self.http = httpx.Client(base_url=url or server.url, timeout=20)
        self.refresh_token = None

    def sign_up(self, company=None, invitation=None):
        """Signs up, proves the address by the mailed token, logs in."""
        body = {"email": self.email, "password": PASSWORD, "name": self.name}
        if company:
            body["company_name"] = company
        if invitation:
            body["invitation_token"] = invitation
        self.expect(202, "POST", "/v1/auth/signup", json=body)
        if not invitation:
            token = token_of(self.mailbox.wait_for(self.email))
            self.expect(200, "POST", "/v1/auth/email-verification/confirm", json={"token": token})
        return self.log_in()

    def log_in(self, at=None):
        """At another instance when one is given."""
        if at is not None:
            self.http.base_url = at.url
        answer = self.expect(200, "POST", "/v1/auth/login", json={"email": self.email, "password": PASSWORD})
        self.take_tokens(answer)
        return self

    def take_tokens(self, answer):
        self.http.headers["Authorization"] = "Bearer " + answer["access_token"]
        self.refresh_token = answer["refresh_token"]

    def at(self, server):
        """The same person with the same token at another instance."""
        return httpx.Client(base_url=server.url, timeout=20, headers={"Authorization": self.http.headers["Authorization"]})

    def expect(self, status, method, path, **options):
        answer = self.http.request(method, path, **options)
        assert answer.status_code == status, f"{method} {path} gave {answer.status_code}: {answer.text[:1000]}"
        return answer.json() if answer.content else None

    def role_id(self, key):
        roles = self.expect(200, "GET", "/v1/roles?limit=100")["data"]
        return next(role["id"] for role in roles if role["key"] == key)

    def give_role(self, email, key):
        path = f"/v1/members/{self.member_id(email)}/roles"
        self.expect(200, "PUT", path, json={"role_ids": [self.role_id(key)]})

    def invite(self, email, role):
        """Invites by role key; returns the token from the mail."""
        self.expect(201, "POST", "/v1/invitations", json={"email": email, "role_ids": [self.role_id(role)]})
        return token_of(self.mailbox.wait_for(email, "invit"))

    def colleague(self, role="member"):
        """A new person who came in by this one's invitation."""
        somebody = Person(None, self.mailbox, url=str(self.http.base_url))
        return somebody.sign_up(invitation=self.invite(somebody.email, role))

    def member_id(self, email):
        members = self.expect(200, "GET", "/v1/members?limit=100")["data"]
        return next(member["id"] for member in members if member["email"] == email)
