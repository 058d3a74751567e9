"""What we sign is what other people's libraries verify, also across a crash."""
import base64
import http.server
import json
import threading
import time

import pytest
import standardwebhooks
import svix.webhooks
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from instance import Instance, wait_until
from people import Person


class Receiver:
    """Takes messages on a port of the loopback address; `delay` seconds before it answers."""

    def __init__(self, delay=0.0):
        taken, lock = [], threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                with lock:
                    taken.append((dict(self.headers.items()), body))
                time.sleep(delay)
                try:
                    self.send_response(204)
                    self.end_headers()
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        self.taken = taken
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hooks"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait_for(self, count, seconds=30):
        wait_until(lambda: len(self.taken) >= count, seconds, what=f"message {count} (there are {len(self.taken)})")
        return self.taken

    def ids(self):
        return [headers["webhook-id"] for headers, _ in list(self.taken)]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture(scope="module")
def sender(mailbox):
    instance = Instance(INFINITY_SMTP_URL=f"smtp://127.0.0.1:{mailbox.port}", INFINITY_WEBHOOK_ALLOWED_RANGES="127.0.0.0/8")
    try:
        instance.start()
        yield instance
    finally:
        instance.remove()


@pytest.fixture(scope="module")
def company(sender, mailbox):
    return Person(sender, mailbox).sign_up(company="Northwind")


def test_the_reference_libraries_verify_our_signature(company, receiver):
    made = company.expect(201, "POST", "/v1/webhook-endpoints", json={"url": receiver.url})
    company.expect(202, "POST", f"/v1/webhook-endpoints/{made['id']}/test", json={"event_type": "webhook_endpoint.disabled"})
    headers, body = receiver.wait_for(1)[0]
    for library in (standardwebhooks.Webhook, svix.webhooks.Webhook):
        payload = library(made["secret"]).verify(body, headers)
        payload = payload if payload is not None else json.loads(body)
        assert payload["type"] == "webhook_endpoint.disabled"
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(made["secret"]).verify(body + b" ", headers)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook("whsec_" + base64.b64encode(b"x" * 32).decode()).verify(body, headers)


def test_the_libraries_verify_through_a_rotation(company, receiver):
    made = company.expect(201, "POST", "/v1/webhook-endpoints", json={"url": receiver.url})
    path = f"/v1/webhook-endpoints/{made['id']}"
    rotated = company.expect(200, "POST", f"{path}/rotate-secret", json={"overlap_seconds": 600})
    company.expect(202, "POST", f"{path}/test", json={"event_type": "webhook_endpoint.disabled"})
    headers, body = receiver.wait_for(1)[0]
    for secret in (made["secret"], rotated["secret"]):
        for library in (standardwebhooks.Webhook, svix.webhooks.Webhook):
            library(secret).verify(body, headers)


def test_the_public_key_verifies_what_the_private_one_signed(company, receiver):
    made = company.expect(201, "POST", "/v1/webhook-endpoints", json={"url": receiver.url, "signature": "v1a"})
    assert made["secret"] is None
    company.expect(202, "POST", f"/v1/webhook-endpoints/{made['id']}/test", json={"event_type": "webhook_endpoint.disabled"})
    headers, body = receiver.wait_for(1)[0]
    scheme, signature = headers["webhook-signature"].split(",")
    assert scheme == "v1a"
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(made["public_key"].removeprefix("whpk_")))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key.verify(base64.b64decode(signature), signed)
    with pytest.raises(InvalidSignature):
        key.verify(base64.b64decode(signature), signed + b" ")


def test_kill_9_during_delivery_loses_no_message(cluster, mailbox):
    """The slow receiver has some in hand when the process dies: they come again under the same identifier."""
    url = cluster.create("webhooks_crash")
    instance = Instance(INFINITY_SMTP_URL=f"smtp://127.0.0.1:{mailbox.port}", INFINITY_WEBHOOK_ALLOWED_RANGES="127.0.0.0/8",
                        DATABASE_URL=url)
    receiver = Receiver(delay=0.3)
    try:
        instance.start()
        person = Person(instance, mailbox).sign_up(company="Steady")
        made = person.expect(201, "POST", "/v1/webhook-endpoints", json={"url": receiver.url, "event_types": ["webhook_endpoint.*"]})
        path = f"/v1/webhook-endpoints/{made['id']}/test"
        wanted = {person.expect(202, "POST", path, json={"event_type": "webhook_endpoint.disabled"})["webhook_id"] for _ in range(40)}
        receiver.wait_for(6)
        instance.kill()
        before = len(receiver.taken)
        assert before < 40
        instance.start()
        # The dead one's lease has to be over first.
        wait_until(lambda: set(receiver.ids()) >= wanted, 60, what="the delivery of every message")
        assert set(receiver.ids()) == wanted
        wait_until(lambda: cluster.sql("webhooks_crash", "SELECT count(*) FROM webhook_deliveries") == "0", what="an empty queue")
        # Four in hand, and four answered that the dead process had not yet written down.
        assert len(receiver.taken) <= 48, "only what was in hand comes twice"
        logged = cluster.sql("webhooks_crash", "SELECT count(DISTINCT message_id) FROM webhook_attempts WHERE outcome = 'delivered'")
        assert logged == "40"
    finally:
        instance.remove()
        receiver.stop()
