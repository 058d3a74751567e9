"""Signing in by somebody else's OpenID provider, which signs RS256 as most of them do."""
import base64
import json
import threading
from urllib.parse import parse_qs, urlsplit

import httpx
import oidc_provider_mock
import pytest
import werkzeug.serving
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from instance import Instance, free_port
from people import Person

CLIENT = {"INFINITY_OIDC_CLIENT_ID": "infinity", "INFINITY_OIDC_CLIENT_SECRET": "a secret: with%signs"}


class Provider:
    """The provider on a port of the loopback address. `mischief` turns the ID tokens it gives into others."""

    def __init__(self):
        self.mischief = None
        self.id_tokens = []
        app = oidc_provider_mock.app(require_nonce=True)
        app.after_request(self.meddle)
        self.port = free_port()
        self.server = werkzeug.serving.make_server("127.0.0.1", self.port, app, threaded=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    issuer = property(lambda self: f"http://127.0.0.1:{self.port}")

    def meddle(self, response):
        answer = response.get_json(silent=True)
        if isinstance(answer, dict) and "id_token" in answer:
            self.id_tokens.append(answer["id_token"])
            if self.mischief:
                answer["id_token"] = self.mischief(answer["id_token"])
                response.set_data(json.dumps(answer))
        return response

    def knows(self, subject, **claims):
        httpx.put(f"{self.issuer}/users/{subject}", json=claims).raise_for_status()

    def agree(self, address, subject):
        """Somebody agrees on the provider's page; returns what her browser brings back."""
        answer = httpx.post(address, data={"sub": subject})
        assert answer.status_code == 302, answer.text[:500]
        query = parse_qs(urlsplit(answer.headers["location"]).query)
        return {"state": query["state"][0], "code": query["code"][0]}

    def stop(self):
        self.server.shutdown()


@pytest.fixture(scope="module")
def provider():
    provider = Provider()
    yield provider
    provider.stop()


@pytest.fixture(scope="module")
def house(mailbox, provider):
    """A server that believes this provider."""
    instance = Instance(INFINITY_SMTP_URL=f"smtp://127.0.0.1:{mailbox.port}", INFINITY_OIDC_ISSUER=provider.issuer, **CLIENT)
    try:
        instance.start()
        yield instance
    finally:
        instance.remove()


def sign_in(house, provider, subject):
    with httpx.Client(base_url=house.url, timeout=20) as http:
        begun = http.post("/v1/auth/oauth/oidc/authorize", json={})
        assert begun.status_code == 200, begun.text
        back = provider.agree(begun.json()["authorization_url"], subject)
        return http.post("/v1/auth/oauth/completion", json={**back, "flow_token": begun.json()["flow_token"]})


def me(house, answer):
    token = answer.json()["access_token"]
    return httpx.get(f"{house.url}/v1/auth/me", headers={"Authorization": f"Bearer {token}"}).json()


def test_somebody_comes_by_a_provider_that_signs_rs256(house, provider):
    provider.knows("ada", email="ada@oidc.example", email_verified=True, name="Ada Lovelace")
    first = sign_in(house, provider, "ada")
    assert first.status_code == 200, first.text
    header = json.loads(base64.urlsafe_b64decode(provider.id_tokens[-1].split(".")[0] + "=="))
    assert header["alg"] == "RS256"
    person = me(house, first)
    assert (person["email"], person["name"]) == ("ada@oidc.example", "Ada Lovelace")
    again = sign_in(house, provider, "ada")
    assert me(house, again)["id"] == person["id"]


def test_the_account_of_a_verified_address_is_found_and_that_of_an_unverified_one_is_not(house, provider, mailbox):
    owner = Person(house, mailbox).sign_up(company="Loom Works")
    provider.knows("thief", email=owner.email, email_verified=False, name="Mallory")
    refused = sign_in(house, provider, "thief")
    assert refused.json()["code"] == "identity-without-address"
    provider.knows("owner", email=owner.email, email_verified=True, name="Ada Example")
    assert me(house, sign_in(house, provider, "owner"))["email"] == owner.email


def claims_of(token):
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


def header_of(token):
    return json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))


def by_a_foreign_key(token):
    """The same words under another key of the same kind, called by the same name."""
    return jwt.encode(header_of(token), claims_of(token), RSAKey.generate_key(2048), algorithms=["RS256"])


def by_the_public_key(issuer):
    """RS256 passed off as HS256: the published key taken for a shared secret."""
    public = RSAKey.import_key(httpx.get(f"{issuer}/jwks").json()["keys"][0]).as_pem(private=False)
    return lambda token: jwt.encode({**header_of(token), "alg": "HS256"}, claims_of(token), OctKey.import_key(public),
                                    algorithms=["HS256"])


def with_other_words(token):
    head, _, signature = token.split(".")
    words = json.dumps({**claims_of(token), "sub": "ada"}).encode()
    return ".".join([head, base64.urlsafe_b64encode(words).rstrip(b"=").decode(), signature])


def unsigned(token):
    head = base64.urlsafe_b64encode(json.dumps({**header_of(token), "alg": "none"}).encode()).rstrip(b"=").decode()
    return f"{head}.{token.split('.')[1]}."


@pytest.mark.parametrize("forge", ["foreign key", "public key as secret", "other words", "unsigned"])
def test_a_forged_word_opens_nothing(house, provider, forge):
    provider.knows("mallory", email="mallory@oidc.example", email_verified=True, name="Mallory")
    forges = {"foreign key": by_a_foreign_key, "public key as secret": by_the_public_key(provider.issuer),
              "other words": with_other_words, "unsigned": unsigned}
    provider.mischief = forges[forge]
    try:
        answer = sign_in(house, provider, "mallory")
    finally:
        provider.mischief = None
    assert answer.status_code in (422, 503), answer.text
    assert answer.json()["code"] in ("identity-refused", "identity-provider-unavailable")
    assert sign_in(house, provider, "mallory").status_code == 200
