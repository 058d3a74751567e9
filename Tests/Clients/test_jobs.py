"""Jobs when a whole process dies: another takes over within the lease, and the fence keeps the dead one's work apart."""
import time

import pytest

from instance import Instance, wait_until
from people import Person


def operator_of(instance, mailbox):
    person = Person(instance, mailbox).sign_up(company="Operators")
    named = instance.command("operator", "add", person.email)
    assert named.returncode == 0, named.stderr
    return person.log_in()


def rehearse(person, **script):
    return person.expect(202, "POST", "/v1/job-rehearsals", json=script)["job_id"]


def job(person, id):
    return person.expect(200, "GET", f"/v1/system/jobs/{id}")


@pytest.mark.timeout(150)
def test_a_killed_process_is_replaced_within_the_default_lease_and_five_seconds(mailbox, cluster):
    url = cluster.create("takeover")
    settings = {"DATABASE_URL": url, "INFINITY_SMTP_URL": f"smtp://127.0.0.1:{mailbox.port}"}
    first = Instance(**settings)
    second = Instance(data=first.data, **settings)
    try:
        first.start()
        keeper = operator_of(first, mailbox)
        # A rehearsal with the lease that kinds have which say nothing.
        id = cluster.sql("takeover", """
            INSERT INTO jobs (id, queue, kind, priority, attempts_max, lease_seconds, arguments)
            VALUES (gen_random_uuid(), 'rehearsals', 'jobs.rehearse', 5, 5, 30, '{"seconds": 60, "ending": "done"}')
            RETURNING id""")
        wait_until(lambda: (job(keeper, id)["progress"] or 0) > 1, what="the first attempt")
        second.start()
        first.kill()
        died = time.monotonic()
        keeper = keeper.log_in(at=second)
        # Not before the lease is over, and not long after.
        wait_until(lambda: job(keeper, id)["attempt"] == 2, seconds=60, what="the takeover")
        took = time.monotonic() - died
        print(f"taken over {took:.1f} s after kill -9, under a lease of 30 s")
        assert 15 < took <= 35, f"{took:.1f} s"
        assert "went silent" in str(job(keeper, id)["errors"])
        # What the first had kept is where the second goes on.
        assert job(keeper, id)["progress"] > 1
        keeper.expect(200, "POST", f"/v1/system/jobs/{id}/cancel")
        wait_until(lambda: job(keeper, id)["state"] == "cancelled", what="the end of it")
    finally:
        second.remove()
        first.remove()
