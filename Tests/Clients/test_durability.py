"""What was acknowledged is there after a crash; what is in flight at SIGTERM is finished."""
import signal
import socket
import threading
import time

import httpx

from instance import wait_until
from people import Person


def test_kill_9_during_acknowledged_writes_loses_none(fragile, mailbox):
    person = Person(fragile, mailbox).sign_up(company="Steady")
    acknowledged, lock = [], threading.Lock()

    def write(writer):
        with httpx.Client(base_url=fragile.url, headers=person.http.headers, timeout=10) as client:
            for number in range(10_000):
                try:
                    answer = client.post("/v1/teams", json={"name": f"Writer {writer} number {number}"})
                except httpx.HTTPError:
                    return
                if answer.status_code != 201:
                    return
                with lock:
                    acknowledged.append(answer.json()["id"])

    for crash in range(2):
        target = len(acknowledged) + 60
        writers = [threading.Thread(target=write, args=(f"{crash}-{n}",)) for n in range(4)]
        for writer in writers:
            writer.start()
        wait_until(lambda: len(acknowledged) >= target or not any(writer.is_alive() for writer in writers), 20, what="writing")
        fragile.kill()
        for writer in writers:
            writer.join(15)
        assert len(acknowledged) >= target, "the writers gave up before the crash"
        fragile.start()
    person.log_in()
    present, cursor = set(), None
    while True:
        page = person.expect(200, "GET", "/v1/teams", params={"limit": 100, **({"cursor": cursor} if cursor else {})})
        present |= {team["id"] for team in page["data"]}
        cursor = page["page"]["next_cursor"]
        if not page["page"]["has_more"]:
            break
    missing = set(acknowledged) - present
    assert not missing, f"{len(missing)} of {len(acknowledged)} acknowledged writes are gone"


def test_sigterm_finishes_what_is_in_flight_and_then_ends(fragile, mailbox):
    person = Person(fragile, mailbox).sign_up(company="Patient")
    body = b'{"name":"Made during the drain"}'
    head = (f"POST /v1/teams HTTP/1.1\r\nHost: a\r\nAuthorization: {person.http.headers['Authorization']}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode()
    with socket.create_connection(("127.0.0.1", fragile.http_port), 10) as slow:
        slow.sendall(head + body[:5])
        # Its head has been read once another request, sent later, is answered.
        assert fragile.status("/livez") == 200
        time.sleep(0.2)
        fragile.terminate()
        wait_until(lambda: refused_or_unready(fragile), what="readiness going down")
        slow.sendall(body[5:])
        answer = slow.recv(65536)
        assert answer.startswith(b"HTTP/1.1 201 "), answer
        assert b"connection: close" in answer.lower()
    begun = time.monotonic()
    assert fragile.process.wait(20) == 0
    assert time.monotonic() - begun < 10
    fragile.process = None
    assert not database_processes(fragile), "the embedded database outlived the server"


def refused_or_unready(instance):
    try:
        return instance.status("/readyz") == 503
    except OSError:
        return True


def database_processes(instance):
    import os
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if instance.data.encode() in file.read():
                    found.append(int(pid))
        except OSError:
            pass
    return found


def test_a_second_signal_ends_it_at_once(fragile):
    with socket.create_connection(("127.0.0.1", fragile.http_port), 10) as stuck:
        stuck.sendall(b"POST /v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{")
        time.sleep(0.2)
        fragile.terminate()
        wait_until(lambda: refused_or_unready(fragile), what="readiness going down")
        assert fragile.process.poll() is None
        fragile.process.send_signal(signal.SIGTERM)
        fragile.process.wait(5)
    fragile.process = None
    wait_until(lambda: not database_processes(fragile), 5, what="the end of the embedded database")
