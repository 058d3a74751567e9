"""The primary dies for good, its streaming standby is promoted, and the server goes on by itself."""
import threading
import time

import httpx
import pytest

from instance import Instance, wait_until
from people import Person
from postgres import Cluster


@pytest.fixture
def pair():
    """A primary and its standby, which has all that was acknowledged: commits wait for it."""
    primary, standby = Cluster(), Cluster()
    try:
        primary.start("-c", "wal_level=replica", "-c", "synchronous_standby_names=*")
        standby.follow(primary)
        wait_until(lambda: primary.sql("postgres", "SELECT state FROM pg_stat_replication") == "streaming", what="streaming")
        yield primary, standby
    finally:
        standby.stop()
        primary.stop()


def both(primary, standby, name):
    return (f"postgresql://infinity@127.0.0.1:{primary.port},127.0.0.1:{standby.port}/{name}"
            "?target_session_attrs=read-write&connect_timeout=2")


def test_a_promoted_standby_takes_over_and_no_acknowledged_write_is_lost(pair, mailbox):
    primary, standby = pair
    primary.create("failover")
    server = Instance(DATABASE_URL=both(primary, standby, "failover"), INFINITY_SMTP_URL=f"smtp://127.0.0.1:{mailbox.port}",
                      INFINITY_REPLICA_URL=standby.url("failover"))
    try:
        server.start()
        person = Person(server, mailbox).sign_up(company="Twice there")
        acknowledged, refusals, isOver = [], [], threading.Event()

        def write():
            with httpx.Client(base_url=server.url, headers=person.http.headers, timeout=10) as client:
                for number in range(100_000):
                    if isOver.is_set():
                        return
                    answer = client.post("/v1/teams", json={"name": f"Number {number}"})
                    if answer.status_code == 201:
                        acknowledged.append((time.monotonic(), answer.json()["name"]))
                    elif answer.json().get("code") != "too-many-teams":
                        refusals.append(answer)
                        time.sleep(0.02)

        writer = threading.Thread(target=write)
        writer.start()
        wait_until(lambda: len(acknowledged) >= 20, what="the first writes")
        primary.kill()
        wait_until(lambda: refusals, 10, what="a refusal while there is no primary")
        assert server.status("/livez") == 200
        assert server.status("/readyz") == 503
        standby.promote()
        promoted = time.monotonic()
        wait_until(lambda: acknowledged[-1][0] > promoted, 30, what="a write to the promoted standby")
        back = acknowledged[-1][0] - promoted
        isOver.set()
        writer.join(10)
        wait_until(lambda: server.status("/readyz") == 200, 5, what="readiness")
        assert all(answer.status_code == 503 and "retry-after" in answer.headers for answer in refusals), refusals[0].text
        kept = set(standby.sql("failover", "SELECT name FROM teams").splitlines())
        assert {name for _, name in acknowledged} <= kept
        print(f"\nback {back:.2f} s after the promotion; {len(acknowledged)} writes acknowledged, {len(refusals)} refused with 503")
        assert back < 10
    finally:
        server.remove()


def test_reads_that_may_lag_go_to_the_replica(pair, mailbox):
    primary, standby = pair
    primary.create("lagging")
    server = Instance(DATABASE_URL=primary.url("lagging"), INFINITY_REPLICA_URL=standby.url("lagging"),
                      INFINITY_SMTP_URL=f"smtp://127.0.0.1:{mailbox.port}")
    try:
        server.start()
        person = Person(server, mailbox).sign_up(company="Twice there")
        before = standby.transactions("lagging")
        answer = person.http.get("/v1/members.csv")
        assert answer.status_code == 200, answer.text
        wait_until(lambda: standby.transactions("lagging") > before, 10, what="a read on the standby")
        assert standby.sql("lagging", "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'infinity'") == "t"
    finally:
        server.remove()
