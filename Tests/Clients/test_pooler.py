"""Behind PgBouncer in transaction mode: the same story, the same tenancy, and no broken statement under load."""
import concurrent.futures

import pytest

from instance import Instance
from people import Person
from postgres import Pooler


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
