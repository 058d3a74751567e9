"""What people are told reaches them by real mail and real streams, and stops when they say so."""
import json
import re
import socket

import httpx
import pytest

from instance import Instance, wait_until
from mailbox import Mailbox, text_of
from people import Person


class RefusingMailbox(Mailbox):
    """Says of some addresses that they do not exist."""

    def __init__(self):
        super().__init__()
        self.unknown = set()
        self.tried = []

    async def handle_RCPT(self, server, session, envelope, address, options):
        self.tried.append(address)
        if address in self.unknown:
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 fine"


@pytest.fixture(scope="module")
def house(cluster):
    """A server of its own with a mail server that refuses some, and somebody with a company."""
    box = RefusingMailbox().start()
    instance = Instance(DATABASE_URL=cluster.create("notifications"), INFINITY_SMTP_URL=f"smtp://127.0.0.1:{box.port}")
    try:
        instance.start()
        yield instance, box, Person(instance, box).sign_up(company="Northwind")
    finally:
        instance.remove()
        box.stop()


def send(person, to, title, **more):
    message = {"title": title, "body": "Please read.", "to": {"user_ids": [to]}, **more}
    return person.expect(201, "POST", "/v1/notifications/send", json=message)


def user_id(person):
    return person.expect(200, "GET", "/v1/auth/me")["id"]


def delivery(person, batch):
    for one in person.expect(200, "GET", "/v1/notifications?limit=100")["data"]:
        trace = person.expect(200, "GET", f"/v1/notifications/{one['id']}/trace")
        if trace["event_id"] == batch["id"]:
            return next(way for way in trace["channels"] if way["channel"] == "email")
    return None


def test_one_click_in_a_real_mail_stops_mails_of_its_kind(house):
    instance, box, person = house
    me = user_id(person)
    batch = send(person, me, "The first")
    message = box.wait_for(person.email, "The first")
    assert message["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    url = re.fullmatch(r"<(https?://[^>]+)>", message["list-unsubscribe"].strip())[1]
    assert "/v1/public/unsubscribe/" in url and url in text_of(message)
    wait_until(lambda: (delivery(person, batch) or {}).get("state") == "sent", what="the delivery")
    listed = person.expect(200, "GET", "/v1/notification-deliveries?state=sent")["data"][0]
    assert message["message-id"].startswith(f"<{listed['id']}@")
    tries = person.expect(200, "GET", f"/v1/notification-deliveries/{listed['id']}")["tries"]
    assert [one["outcome"] for one in tries] == ["accepted"]

    # As a provider does it: no cookie, no token, no redirect; a scanner that only looks changes nothing.
    path = url[url.index("/v1/"):]
    with httpx.Client(base_url=instance.url, follow_redirects=False) as provider:
        assert provider.get(path).status_code == 200
        send(person, me, "The second")
        box.wait_for(person.email, "The second")
        click = provider.post(path, data={"List-Unsubscribe": "One-Click"})
        assert click.status_code == 200 and "set-cookie" not in click.headers
        assert provider.post(path, files={"List-Unsubscribe": (None, "One-Click")}).status_code == 200
    third = send(person, me, "The third")
    wait_until(lambda: (delivery(person, third) or {}).get("reason") == "preference", what="the third to be skipped")
    assert not any("The third" in message["subject"] for message in box.messages)


def test_an_address_that_bounced_is_not_tried_again(house):
    instance, box, person = house
    friend = Person(instance, box)
    person.expect(201, "POST", "/v1/invitations", json={"email": friend.email, "role_ids": [person.role_id("member")]})
    token = re.search(r"#(\S+)", text_of(box.wait_for(friend.email)))[1]
    friend.sign_up(invitation=token)
    them = user_id(friend)
    box.unknown.add(friend.email)
    send(person, them, "To nowhere")
    def failed():
        return person.expect(200, "GET", f"/v1/notification-deliveries?user_id={them}&state=failed")["data"]
    gone = wait_until(failed, what="the bounce")[0]
    tries = person.expect(200, "GET", f"/v1/notification-deliveries/{gone['id']}")["tries"]
    assert tries[0]["outcome"] == "bounced" and "550" in tries[0]["reply"]
    before = box.tried.count(friend.email)
    send(person, them, "Again to nowhere")
    wait_until(lambda: person.expect(200, "GET", f"/v1/notification-deliveries?user_id={them}&state=suppressed")["data"],
               what="the suppression")
    assert box.tried.count(friend.email) == before


def test_a_stream_goes_on_where_it_was_on_another_instance(house):
    instance, box, person = house
    # One installation has one address and one set of keys.
    same = ("DATABASE_URL", "INFINITY_SMTP_URL", "INFINITY_PUBLIC_URL")
    other = Instance(data=instance.data, **{name: instance.settings[name] for name in same})
    other.start()
    try:
        me = user_id(person)
        last, heard = None, []
        for number, server in enumerate([instance, other, instance]):
            headers = {"Authorization": person.http.headers["Authorization"]}
            if last is not None:
                headers["Last-Event-ID"] = last
                send(person, me, f"While away {number}", channels=["in_app"])
            with httpx.stream("GET", server.url + "/v1/notifications/stream", headers=headers, timeout=20) as stream:
                events = sse(stream)
                for event in events:
                    if event["event"] == "notification":
                        heard.append(event["data"]["notification"]["title"])
                    last = event.get("id", last)
                    if event["event"] == "ready":
                        send(person, me, f"Live {number}", channels=["in_app"])
                    if heard and heard[-1] == f"Live {number}":
                        break
        assert heard == ["Live 0", "While away 1", "Live 1", "While away 2", "Live 2"]
    finally:
        other.remove()


def resident_megabytes(process):
    with open(f"/proc/{process.pid}/status") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmRSS:"))


def silent_reader(instance, person):
    """A stream whose client reads its beginning, and then nothing more."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    line.settimeout(60)
    line.connect(("127.0.0.1", instance.http_port))
    line.sendall(f"GET /v1/notifications/stream HTTP/1.1\r\nHost: x\r\nAuthorization: "
                 f"{person.http.headers['Authorization']}\r\n\r\n".encode())
    got = b""
    while b"event: ready" not in got:
        got += line.recv(4096)
    return line


def test_readers_that_stop_cost_little_memory_are_cut_off_and_miss_nothing(house):
    instance, box, owner = house
    person = owner.colleague()
    me, body = user_id(person), "x" * 4000

    def tell(count, word):
        for number in range(count):
            send(owner, me, f"{word} {number}", body=body, channels=["in_app"])
    tell(100, "Before")
    lines = [silent_reader(instance, person) for _ in range(10)]
    before = resident_megabytes(instance.process)
    tell(400, "Told")
    grown = resident_megabytes(instance.process) - before
    # All of it for all of them would be 16 MB and more.
    print(f"{grown:.1f} MB more for ten readers that are 1.6 MB behind each")
    assert grown < 8, f"{grown:.1f} MB"
    # Who takes nothing for long is cut off: what its kernel had already comes, and then the end.
    wait_until(lambda: "sse_connections 0" in person.http.get("/metrics").text.splitlines(), seconds=40, every=0.5,
               what="the end of the streams")
    last = 0
    for line in lines:
        got = b""
        try:
            while piece := line.recv(65536):
                got += piece
        except ConnectionResetError:
            pass
        line.close()
        numbers = [int(number) for number in re.findall(rb"\nid: (\d+)\n", got)]
        assert numbers == list(range(101, 101 + len(numbers))), "what was read has no gap"
        assert len(numbers) < 400
        last = max(last, numbers[-1])
    headers = {"Authorization": person.http.headers["Authorization"], "Last-Event-ID": str(last)}
    with httpx.stream("GET", instance.url + "/v1/notifications/stream", headers=headers, timeout=20) as stream:
        missed = []
        for event in sse(stream):
            if event["event"] == "ready":
                break
            missed.append(int(event["id"]))
    assert missed == list(range(last + 1, 501)), "and what was not comes later"


def sse(stream):
    event = {}
    for line in stream.iter_lines():
        if not line:
            if "event" in event:
                yield event
            event = {}
        elif line.startswith("id: "):
            event["id"] = line[4:]
        elif line.startswith("event: "):
            event["event"] = line[7:]
        elif line.startswith("data: "):
            event["data"] = json.loads(line[6:]) if line[6:].startswith("{") else line[6:]

