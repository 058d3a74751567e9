"""What people may ask about their data, from outside: a copy that holds everything, and an erasure that leaves nothing."""
import hashlib
import io
import json
import os
import subprocess
import zipfile

import pytest

from instance import Instance, wait_until
from people import Person

NAME = "Zephyrine Quartermaine"


@pytest.fixture(scope="module")
def place(mailbox, cluster):
    """A server that thinks no erasure over, on a database that can be dumped."""
    url = cluster.create("privacy")
    instance = Instance(DATABASE_URL=url, INFINITY_SMTP_URL=f"smtp://127.0.0.1:{mailbox.port}", INFINITY_ERASURE_GRACE_DAYS="0")
    try:
        instance.start()
        instance.database = url
        yield instance
    finally:
        instance.remove()


def export(person, **wish):
    """Asks for a copy and opens its archive when it is made."""
    request = person.expect(202, "POST", "/v1/privacy/exports", json=wish)["id"]

    def made():
        state = person.expect(200, "GET", f"/v1/privacy/exports/{request}")["state"]
        assert state != "failed"
        return state == "done"
    wait_until(made, what="the copy")
    link = person.expect(200, "POST", f"/v1/privacy/exports/{request}/download-url")["url"]
    answer = person.http.get("/v1/public" + link.split("/v1/public")[1], headers={"Authorization": ""})
    assert answer.status_code == 200, answer.text
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    return request, archive


def upload(person, name, content):
    return person.expect(201, "POST", "/v1/files", files={"file": (name, content)})["id"]


def dump(url):
    return subprocess.run(["pg_dump", "--data-only", "--inserts", url], check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True).stdout


def lines_with(text, word):
    return [line for line in text.splitlines() if word.lower() in line.lower()]


def tables_of(lines):
    return {line.split()[2].removeprefix("public.") for line in lines}


def test_a_company_takes_everything_away_with_its_files_and_is_told_when_it_is_there(place, mailbox):
    owner = Person(place, mailbox).sign_up(company="Everything")
    member = owner.colleague()
    film = os.urandom(3 << 20)
    contents = {upload(owner, "Grüße.txt", b"hello"): b"hello", upload(member, "film.bin", film): film}
    owner.expect(201, "POST", "/v1/teams", json={"name": "Movers"})
    stranger = Person(place, mailbox).sign_up(company="Elsewhere")
    upload(stranger, "other.txt", b"not yours")

    request, archive = export(owner, subject="company")
    names = set(archive.namelist())
    for file, content in contents.items():
        name = next(name for name in names if name.startswith(f"files/{file}/"))
        assert hashlib.sha256(archive.read(name)).digest() == hashlib.sha256(content).digest()
    assert f"files/{next(iter(contents))}/Grüße.txt" in names
    assert sum(name.startswith("files/") for name in names) == 2
    manifest = json.loads(archive.read("manifest.json"))
    assert manifest["contents"] == [{"folder": "files/", "files": 2, "lost": []}]
    listed = {entry["file"]: entry["rows"] for entry in manifest["files"]}
    assert listed["files.json"] == 2 and listed["teams.json"] == 1
    for name, rows in listed.items():
        assert len(json.loads(archive.read(name))) == rows, name
    everything = b"".join(archive.read(name) for name in names)
    assert stranger.email.encode() not in everything and b"not yours" not in everything

    mailbox.wait_for(owner.email, "copy of data")
    told = owner.expect(200, "GET", "/v1/notifications?type=privacy.export_ready")["data"]
    assert [(news["object_type"], news["object_id"]) for news in told] == [("privacy_request", request)]


def test_a_person_takes_her_own_files_along_and_a_company_what_it_knows_of_her(place, mailbox):
    owner = Person(place, mailbox).sign_up(company="Workplace")
    member = owner.colleague()
    company = owner.expect(200, "GET", "/v1/auth/me")["company_id"]
    mine = upload(member, "mine.txt", b"written by me")
    upload(owner, "theirs.txt", b"written by another")
    _, archive = export(member, subject="me")
    files = [name for name in archive.namelist() if "/files/" in name]
    assert files == [f"companies/{company}/files/{mine}/mine.txt"]
    assert archive.read(files[0]) == b"written by me"
    _, known = export(owner, subject="person", email=member.email)
    assert [name for name in known.namelist() if "/files/" in name] == files
    # Who has left takes her data along, and not the company's documents.
    owner.expect(204, "DELETE", f"/v1/members/{owner.member_id(member.email)}")
    member.log_in()
    _, archive = export(member, subject="me")
    assert f"companies/{company}/files.json" in archive.namelist()
    assert not [name for name in archive.namelist() if "/files/" in name]


def test_a_person_who_was_forgotten_stands_nowhere_in_a_dump(place, mailbox):
    owner = Person(place, mailbox).sign_up(company="Keeps On")
    person = Person(place, mailbox)
    person.name = NAME
    person.sign_up(invitation=owner.invite(person.email, "manager"))
    team = person.expect(201, "POST", "/v1/teams", json={"name": "Monsters"})["id"]
    upload(person, "letter.txt", b"a letter")
    person.expect(202, "POST", "/v1/privacy/exports", json={"subject": "me"})
    assert lines_with(dump(place.database), NAME) and lines_with(dump(place.database), person.email)

    plan = person.expect(201, "POST", "/v1/privacy/erasures", json={"subject": "me", "block_sign_up": True})
    planned = {(step["table"], step["action"]) for step in plan["plan"]}
    receipt = person.expect(200, "POST", f"/v1/privacy/erasures/{plan['id']}/confirm")["receipt"]

    def done():
        answer = owner.http.post("/v1/privacy/receipts", json={"receipt": receipt})
        return answer.status_code == 200 and answer.json()
    report = wait_until(done, what="the report")["report"]
    reported = {(step["table"], step["action"]) for step in report["tables"]}
    assert planned - reported == set(), "the report leaves out what the plan had said"
    assert report["rows_erased"] == sum(step["rows"] for step in report["tables"] if step["action"] != "keep")

    # The mail that says so is the last to know her, until it is swept; the record of changes holds the address she was
    # invited at, as the report says.
    mailbox.wait_for(person.email, "deleted")
    left = dump(place.database)
    assert tables_of(lines_with(left, NAME)) <= {"mail_queue"}
    assert tables_of(lines_with(left, person.email)) <= {"audit_log", "mail_queue"}
    assert any(step["table"] == "audit_log" and "invited at" in step["reason"] for step in report["tables"])
    # What she made stays with the company, under nobody's name.
    assert owner.expect(200, "GET", f"/v1/teams/{team}")["name"] == "Monsters"
