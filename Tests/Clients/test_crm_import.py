"""Contacts by the ten thousand: what a crash in the middle leaves, and how long it takes."""
import os
import time

import pytest

from instance import wait_until
from people import Person

# 100,000 with INFINITY_IMPORT_ROWS=100000.
ROWS = int(os.environ.get("INFINITY_IMPORT_ROWS", "20000"))


@pytest.mark.skipif("INFINITY_IMPORT_ROWS" not in os.environ, reason=
    "takes over a minute, and a server that has just ended an import has been seen to need longer than 30 s to stop")
@pytest.mark.timeout(600)
def test_contacts_come_in_over_a_kill_9_without_loss_or_duplicates(fragile, mailbox):
    person = Person(fragile, mailbox).sign_up(company="Bulk")
    content = "First name;Last name;E-mail;Phone;Company;Tags\n" + "".join(
        f"Anna{number};Berg{number % 5000};anna{number}@client{number % 1000}.example;+4930{1000000 + number};Client {number % 1000};fair\n"
        for number in range(ROWS))
    file = person.expect(201, "POST", "/v1/files", files={"file": ("contacts.csv", content.encode())})["id"]
    place = f"/v1/imports/{person.expect(201, 'POST', '/v1/imports', json={'kind': 'contact', 'target': {}, 'file_id': file})['id']}"
    mapped = {column["key"] for column in person.expect(200, "GET", place)["mapping"]}
    assert {"first_name", "last_name", "email", "phone", "client", "tags"} <= mapped, mapped
    person.expect(202, "POST", f"{place}/start")
    begun = time.monotonic()
    wait_until(lambda: person.expect(200, "GET", place)["rows_done"] >= ROWS // 4, 120, what="the first part")
    worked = time.monotonic() - begun
    fragile.kill()
    fragile.start()
    left = person.expect(200, "GET", place)
    assert left["state"] == "running" and left["rows_done"] < ROWS, "it was over before the crash"
    # The lease of the job that died has to end first.
    wait_until(lambda: person.expect(200, "GET", place)["rows_done"] > left["rows_done"], 80, what="going on")
    resumed = time.monotonic()
    done = wait_until(lambda: (found := person.expect(200, "GET", place))["state"] != "running" and found, 400, what="the end")
    worked += time.monotonic() - resumed
    assert (done["state"], done["created_count"], done["failed_count"]) == ("done", ROWS, 0), done
    print(f"{ROWS} contacts in {worked:.1f} s of work")
    assert person.expect(200, "GET", f"/v1/contacts?email=anna{ROWS - 1}@client{(ROWS - 1) % 1000}.example")["data"][0]["name"] \
        == f"Anna{ROWS - 1} Berg{(ROWS - 1) % 5000}"
    total = person.expect(200, "GET", "/v1/contacts?count=estimated&limit=1")
    assert total.get("total", ROWS) in (ROWS, 10_000), total
    # Once more, everybody is known.
    again = f"/v1/imports/{person.expect(201, 'POST', '/v1/imports', json={'kind': 'contact', 'target': {}, 'csv': content[:20_000].rsplit(chr(10), 1)[0]})['id']}"
    person.expect(202, "POST", f"{again}/start")
    done = wait_until(lambda: (found := person.expect(200, "GET", again))["state"] != "running" and found, 60)
    assert done["created_count"] == 0 and done["skipped_count"] > 0, done
