"""Behind PgBouncer in transaction mode: the same story, the same tenancy, and no broken statement under load."""
import concurrent.futures
import time

import pytest

from instance import Instance, wait_until
from people import Person
from postgres import Pooler
from test_jobs import job, operator_of, rehearse


@pytest.fixture(scope="module")
def pooled(cluster, mailbox):
    direct = cluster.create("pooled")
    pooler = Pooler(cluster).start()
    instance = Instance(DATABASE_URL=pooler.url("pooled"), INFINITY_DATABASE_POOLER="transaction",
                        INFINITY_DATABASE_LISTEN_URL=direct, INFINITY_DATABASE_MIGRATE_URL=direct,
                        INFINITY_SMTP_URL=f"smtp://127.0.0.1:{mailbox.port}")
    try:
        instance.start()
        yield instance
    finally:
        instance.remove()
        pooler.stop()


def test_the_story_holds_behind_the_pooler(pooled, mailbox):
    owner = Person(pooled, mailbox).sign_up(company="Pooled")
    colleague = owner.colleague("viewer")
    team = owner.expect(201, "POST", "/v1/teams", json={"name": "Behind the pooler"})
    assert colleague.expect(200, "GET", f"/v1/teams/{team['id']}")["name"] == "Behind the pooler"
    colleague.expect(403, "POST", "/v1/teams", json={"name": "No"})
    owner.give_role(colleague.email, "manager")
    colleague.expect(201, "POST", "/v1/teams", json={"name": "Yes"})
    stranger = Person(pooled, mailbox).sign_up(company="Next door")
    stranger.expect(404, "GET", f"/v1/teams/{team['id']}")
    assert stranger.expect(200, "GET", "/v1/teams")["data"] == []


def test_companies_do_not_mix_when_connections_are_shared(pooled, mailbox):
    """Sixteen callers of four companies over four server connections: a setting that leaked would show at once."""
    owners = [Person(pooled, mailbox).sign_up(company=f"Company {n}") for n in range(4)]
    for number, owner in enumerate(owners):
        for each in range(5):
            owner.expect(201, "POST", "/v1/teams", json={"name": f"Team {each} of {number}"})

    def ask(turn):
        number = turn % len(owners)
        answer = owners[number].http.get("/v1/teams?limit=50")
        assert answer.status_code == 200, answer.text
        names = {team["name"] for team in answer.json()["data"]}
        assert names == {f"Team {each} of {number}" for each in range(5)}

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(ask, range(800)))


@pytest.mark.parametrize("listens", [True, False], ids=["with a listening connection", "by polling alone"])
def test_jobs_run_once_each_behind_the_pooler(listens, cluster, mailbox):
    name = f"pooled_jobs_{int(listens)}"
    direct = cluster.create(name)
    pooler = Pooler(cluster).start()
    instance = Instance(DATABASE_URL=pooler.url(name), INFINITY_DATABASE_POOLER="transaction",
                        INFINITY_DATABASE_LISTEN_URL=direct if listens else None, INFINITY_DATABASE_MIGRATE_URL=direct,
                        INFINITY_SMTP_URL=f"smtp://127.0.0.1:{mailbox.port}")
    try:
        instance.start()
        keeper = operator_of(instance, mailbox)
        begun = time.monotonic()
        many = [rehearse(keeper, seconds=0) for _ in range(40)]
        wait_until(lambda: all(job(keeper, id)["state"] == "done" for id in many), what="all of them")
        print(f"40 jobs of a request each in {time.monotonic() - begun:.1f} s")
        assert {job(keeper, id)["attempt"] for id in many} == {1}
        # A key, progress, cancelling a running one, retries and a dead one: none of it needs a session of its own.
        long = rehearse(keeper, seconds=30, unique_key="one")
        assert keeper.http.post("/v1/job-rehearsals", json={"seconds": 30, "unique_key": "one"}).status_code == 409
        wait_until(lambda: (job(keeper, long)["progress"] or 0) > 0, what="progress")
        keeper.expect(200, "POST", f"/v1/system/jobs/{long}/cancel")
        wait_until(lambda: job(keeper, long)["state"] == "cancelled", what="its end")
        failing = rehearse(keeper, seconds=0, ending="failing")
        wait_until(lambda: job(keeper, failing)["attempt"] == 2, what="a second attempt")
        dead = rehearse(keeper, seconds=0, ending="dead")
        wait_until(lambda: job(keeper, dead)["state"] == "dead", what="a dead letter")
        assert cluster.sql(name, f"SELECT count(*) FROM jobs_done WHERE id IN ({','.join(repr(id) for id in many)})") == "40"
    finally:
        instance.remove()
        pooler.stop()
