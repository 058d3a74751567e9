"""What goes in and out of the house: imports that survive a crash, calendars and workbooks that other programs read."""
import datetime
import io
import json

import httpx
import icalendar
import openpyxl
import pytest

from instance import wait_until
from people import Person


def project(person, name="Launch"):
    return person.expect(201, "POST", "/v1/projects", json={"name": name, "is_active": True})["id"]


def upload(person, content, name="tasks.csv"):
    return person.expect(201, "POST", "/v1/files", files={"file": (name, content)})["id"]


def titles(person, kind="task"):
    text = person.http.post("/v1/exports", json={"kind": kind, "format": "ndjson", "columns": ["title"]})
    assert text.status_code == 202, text.text
    place = f"/v1/exports/{text.json()['id']}"
    done = wait_until(lambda: (found := person.expect(200, "GET", place))["export"]["state"] != "running" and found, 60)
    assert done["export"]["state"] == "done", done
    return [line["title"] for line in map(json.loads, httpx.get(done["url"].replace("https://localhost", "http://127.0.0.1").replace(
        f":{person.https_port}", f":{person.http_port}")).text.splitlines())]


@pytest.mark.timeout(180)
def test_an_import_goes_on_after_kill_9_and_writes_no_row_twice(fragile, mailbox):
    person = Person(fragile, mailbox).sign_up(company="Bulk")
    person.http_port, person.https_port = fragile.http_port, fragile.https_port
    rows = 8_000
    content = "title;due\n" + "".join(f"Row {number};2026-12-01\n" for number in range(rows))
    body = {"kind": "task", "target": {"project_id": project(person)}, "file_id": upload(person, content.encode())}
    place = f"/v1/imports/{person.expect(201, 'POST', '/v1/imports', json=body)['id']}"
    person.expect(202, "POST", f"{place}/start")
    wait_until(lambda: person.expect(200, "GET", place)["rows_done"] >= 2_000, 60, what="the first part")
    fragile.kill()
    fragile.start()
    left = person.expect(200, "GET", place)
    assert left["state"] == "running" and left["rows_done"] < rows, "it was over before the crash"
    # The lease of the job that died has to end first.
    done = wait_until(lambda: (found := person.expect(200, "GET", place))["state"] != "running" and found, 80, what="the end")
    assert (done["state"], done["created_count"], done["rows_done"]) == ("done", rows, rows)
    written = titles(person)
    assert len(written) == rows and set(written) == {f"Row {number}" for number in range(rows)}


def test_a_calendar_is_read_by_others_as_it_was_meant(server, owner):
    shop = project(owner, "Calendar")
    member = owner.expect(200, "GET", "/v1/members?limit=100")["data"][0]["id"]
    soon = datetime.date.today() + datetime.timedelta(days=5)
    wild = "Review; \"große\" Feier, \\ mit " + "Ä😀" * 40
    for title, time in ((wild, None), ("Call", "17:30")):
        owner.expect(201, "POST", "/v1/tasks", json={
            "project_id": shop, "title": title, "due_on": str(soon), "due_time": time, "assignee_ids": [member],
            "description": "First line\r\nSecond; line"})
    made = owner.expect(201, "POST", "/v1/calendar/feeds", json={"name": "Work", "kinds": ["task"]})
    answer = httpx.get(server.url + made["url"][made["url"].index("/v1/"):])
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert all(len(line) <= 75 for line in answer.content.split(b"\r\n")) and b"\n" not in answer.content.replace(b"\r\n", b"")
    calendar = icalendar.Calendar.from_ical(answer.content)
    events = {str(event["SUMMARY"]).split(" ", 1)[1]: event for event in calendar.walk("VEVENT")}
    assert not calendar.errors and not any(event.errors for event in events.values())
    whole, call = events[wild], events["Call"]
    assert (whole.decoded("DTSTART"), whole.decoded("DTEND")) == (soon, soon + datetime.timedelta(days=1))
    assert str(whole["DESCRIPTION"]) == "First line\nSecond; line"
    assert isinstance(call.decoded("DTSTART"), datetime.datetime) and call.decoded("DTSTART").utcoffset() == datetime.timedelta(0)
    assert len({event["UID"] for event in events.values()}) == 2
    again = httpx.get(answer.url, headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304 and not again.content


def test_a_workbook_opens_elsewhere(owner):
    shop = project(owner, "Workbook")
    owner.expect(201, "POST", "/v1/tasks", json={"project_id": shop, "title": "=1+1 & <b>\"x\"</b>\u00e9", "points": 2.5})
    answer = owner.http.post("/v1/exports/direct", json={
        "kind": "task", "format": "xlsx", "columns": ["title", "points"], "filter": {"project_id": [shop]}})
    assert answer.status_code == 200, answer.text
    rows = [[cell.value for cell in row] for row in openpyxl.load_workbook(io.BytesIO(answer.content))["Tasks"].iter_rows()]
    assert rows == [["Title", "Points"], ["=1+1 & <b>\"x\"</b>\u00e9", 2.5]]
