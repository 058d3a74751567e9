"""Files from outside: large ones in little memory, broken lines, crashes, a bucket that checks signatures, a scanner."""
import base64
import hashlib
import io
import os
import shutil
import socket
import threading
import zipfile

import pytest

from bucket import Bucket
from clamd import MALWARE, Clamd, RealClamd
from instance import Instance, two_instances, wait_until
from people import Person

TUS = {"Tus-Resumable": "1.0.0"}
OFFSET = {**TUS, "Content-Type": "application/offset+octet-stream"}
MEGABYTE = 1 << 20


def noise(count, seed=1):
    """The same bytes each time, and no two blocks alike."""
    return b"".join(hashlib.sha256(b"%d %d" % (seed, n)).digest() for n in range((count + 31) // 32))[:count]


def upload(person, content, name="note.bin", status=201, **fields):
    return person.expect(status, "POST", "/v1/files", files={"file": (name, content)}, data=fields)


def begin(person, length, name="film.bin"):
    headers = {**TUS, "Upload-Length": str(length), "Upload-Metadata": "filename " + base64.b64encode(name.encode()).decode()}
    answer = person.http.post("/v1/uploads", headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


def offset_of(person, place, http=None):
    answer = (http or person.http).head(place, headers=TUS)
    return int(answer.headers["Upload-Offset"]) if answer.status_code == 200 else None


def send(person, place, content, at, http=None):
    return (http or person.http).patch(place, content=content, headers={**OFFSET, "Upload-Offset": str(at)})


def resident_megabytes(process, kind="VmRSS"):
    with open(f"/proc/{process.pid}/status") as file:
        return next(int(line.split()[1]) // 1024 for line in file if line.startswith(kind + ":"))


def body_of(parts, boundary=b"b0undary"):
    """A form with one file, made while it is sent."""
    yield b'--%s\r\nContent-Disposition: form-data; name="file"; filename="large.bin"\r\n\r\n' % boundary
    yield from parts
    yield b"\r\n--%s--\r\n" % boundary


@pytest.mark.parametrize("storage", ["local", "s3"])
def test_200_megabytes_come_and_go_in_little_memory(storage, mailbox, request):
    bucket = request.getfixturevalue("bucket") if storage == "s3" else None
    instance = Instance(INFINITY_SMTP_URL=f"smtp://127.0.0.1:{mailbox.port}", **(bucket.settings if bucket else {}))
    try:
        instance.start()
        person = Person(instance, mailbox).sign_up(company="Large")
        person.http.timeout = 120
        upload(person, noise(MEGABYTE))
        before = resident_megabytes(instance.process)
        block = noise(MEGABYTE)
        digest = hashlib.sha256(block * 200).hexdigest()
        peak = [before]
        done = threading.Event()

        def watch():
            while not done.wait(0.02):
                peak[0] = max(peak[0], resident_megabytes(instance.process))

        watcher = threading.Thread(target=watch)
        watcher.start()
        answer = person.http.post("/v1/files", content=body_of([block] * 200),
                                  headers={"Content-Type": "multipart/form-data; boundary=b0undary"})
        assert answer.status_code == 201, answer.text
        file = answer.json()
        assert (file["size_bytes"], file["sha256"]) == (200 * MEGABYTE, digest)
        got = hashlib.sha256()
        with person.http.stream("GET", f"/v1/files/{file['id']}/content") as content:
            for piece in content.iter_bytes():
                got.update(piece)
        done.set()
        watcher.join()
        assert got.hexdigest() == digest
        print(f"{storage}: {before} MiB before, {peak[0]} MiB at most")
        assert peak[0] - before < (96 if storage == "s3" else 48), f"{before} MiB before, {peak[0]} MiB at most"
    finally:
        instance.remove()


def test_a_crash_in_the_middle_leaves_nothing_visible_and_the_upload_goes_on(mailbox):
    instance = Instance(INFINITY_SMTP_URL=f"smtp://127.0.0.1:{mailbox.port}")
    try:
        instance.start()
        person = Person(instance, mailbox).sign_up(company="Crash")
        content = noise(6 * MEGABYTE)
        place = begin(person, len(content))
        assert send(person, place, content[:MEGABYTE], 0).status_code == 204
        # Two requests under way when the process dies: a form, and the next piece of the upload.
        token = person.http.headers["Authorization"]
        lines = []
        for head, body in [
                (f"POST /v1/files HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: {4 * MEGABYTE}",
                 b'--b\r\nContent-Disposition: form-data; name="file"; filename="half"\r\n\r\n' + content[:2 * MEGABYTE]),
                (f"PATCH {place} HTTP/1.1\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: {MEGABYTE}\r\n"
                 f"Content-Type: application/offset+octet-stream\r\nContent-Length: {5 * MEGABYTE}",
                 content[MEGABYTE:3 * MEGABYTE])]:
            line = socket.create_connection(("127.0.0.1", instance.http_port))
            line.sendall(f"{head}\r\nHost: x\r\nAuthorization: {token}\r\n\r\n".encode() + body)
            lines.append(line)
        folder = os.path.join(instance.data, "files", "incoming")
        wait_until(lambda: sum(os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder)) > 3 * MEGABYTE)
        instance.kill()
        instance.start()
        assert person.expect(200, "GET", "/v1/files")["data"] == []
        assert not any(files for _, _, files in os.walk(os.path.join(instance.data, "files", "objects")))
        at = offset_of(person, place)
        assert at == MEGABYTE
        # The dead request holds the upload for half a minute at most.
        answer = wait_until(lambda: (lambda a: a if a.status_code != 423 else None)(send(person, place, content[at:], at)),
                            seconds=90, every=1)
        assert answer.status_code == 204
        assert person.http.get(f"/v1/files/{place.split('/')[-1]}/content").content == content
        usage = person.expect(200, "GET", "/v1/file-usage")
        assert (usage["stored_bytes"], usage["reserved_bytes"]) == (len(content), 0)
        for line in lines:
            line.close()
    finally:
        instance.remove()


def test_a_bucket_with_signature_checks_serves_two_instances(bucket, mailbox, cluster):
    settings = {"DATABASE_URL": cluster.create("bucket"), "INFINITY_SMTP_URL": f"smtp://127.0.0.1:{mailbox.port}",
                "INFINITY_PUBLIC_URL": "https://files.example", **bucket.settings}
    with two_instances({"INFINITY_S3_REDIRECT": "on"}, **settings) as (mine, other):
        before = set(bucket.keys())
        person = Person(mine, mailbox).sign_up(company="Bucket")
        there = person.at(other)
        small = upload(person, b"hello", name="Grüße.txt")
        assert person.http.get(f"/v1/files/{small['id']}/content").content == b"hello"
        content = noise(30 * MEGABYTE)
        place = begin(person, len(content))
        # Pieces smaller than a part, larger than one, and none that ends where a part does, now here, now there.
        at = 0
        for number, size in enumerate([3, 1, 9, 2, 6, 8.5, 0.5]):
            piece = content[at:at + int(size * MEGABYTE)]
            answer = send(person, place, piece, at, http=[None, there][number % 2])
            assert answer.status_code == 204, answer.text
            at += len(piece)
            assert offset_of(person, place, there) == at
        assert at == len(content)
        got = there.get(f"/v1/files/{place.split('/')[-1]}/content").content
        assert hashlib.sha256(got).digest() == hashlib.sha256(content).digest()
        assert not [key for key in bucket.keys() if key.startswith("incoming/")]
        part = there.get(f"/v1/files/{place.split('/')[-1]}/content", headers={"Range": "bytes=8388600-8388620"})
        assert (part.status_code, part.content) == (206, content[8388600:8388621])
        assert part.headers["Content-Range"] == f"bytes 8388600-8388620/{len(content)}"
        last = there.get(f"/v1/files/{place.split('/')[-1]}/content", headers={"Range": "bytes=-7"})
        assert (last.status_code, last.content) == (206, content[-7:])
        assert there.get(f"/v1/files/{place.split('/')[-1]}/content", headers={"Range": "bytes=99999999-"}).status_code == 416
        head = there.head(f"/v1/files/{place.split('/')[-1]}/content")
        assert head.headers["Content-Length"] == str(len(content))
        link = person.expect(200, "POST", f"/v1/files/{small['id']}/download-url", json={})["url"]
        link = "/v1/public" + link.split("/v1/public")[1]
        assert person.http.get(link, headers={"Authorization": ""}).content == b"hello"
        direct = there.get(link)
        assert direct.status_code == 302 and direct.headers["Location"].startswith(f"{bucket.endpoint}/infinity-files/objects/")
        assert "response-content-type=text%2Fplain" in direct.headers["Location"] and "X-Amz-Expires=60" in direct.headers["Location"]
        archive = person.http.post("/v1/file-archives", json={"ids": [small["id"], place.split("/")[-1]]})
        with zipfile.ZipFile(io.BytesIO(archive.content)) as read:
            assert read.testzip() is None
            assert sorted(read.namelist()) == ["Grüße.txt", "film.bin"] and read.read("film.bin") == content
        person.expect(204, "DELETE", f"/v1/files/{small['id']}")
        person.expect(204, "DELETE", f"/v1/file-trash/{small['id']}")
        assert len([key for key in set(bucket.keys()) - before if key.startswith("objects/")]) == 1
        gone = begin(person, 20 * MEGABYTE)
        send(person, gone, content[:10 * MEGABYTE], 0)
        assert person.http.delete(gone, headers=TUS).status_code == 204
        assert not bucket.client().list_multipart_uploads(Bucket="infinity-files").get("Uploads")
        assert not [key for key in bucket.keys() if key.startswith("incoming/")]


def test_a_wrong_key_is_told_by_doctor_and_never_shown(bucket):
    instance = Instance(**{**bucket.settings, "INFINITY_S3_SECRET_KEY": "not-the-right-one"})
    try:
        said = instance.command("doctor")
        assert "WRONG files" in said.stdout and "SignatureDoesNotMatch" in said.stdout, said.stdout + said.stderr
        assert "not-the-right-one" not in said.stdout + said.stderr
        right = Instance(**bucket.settings)
        assert "ok    files" in right.command("doctor").stdout
        right.remove()
    finally:
        instance.remove()


def test_a_scanner_looks_at_every_content_before_anybody_gets_it(mailbox):
    scanner = Clamd()
    instance = Instance(INFINITY_SMTP_URL=f"smtp://127.0.0.1:{mailbox.port}", INFINITY_CLAMD=scanner.address)
    try:
        instance.start()
        person = Person(instance, mailbox).sign_up(company="Careful")
        state = lambda file: person.expect(200, "GET", f"/v1/files/{file['id']}")["state"]
        scanner.is_asleep = True
        good = upload(person, noise(500_000))
        assert good["state"] == "pending"
        assert person.http.get(f"/v1/files/{good['id']}/content").status_code == 409
        wait_until(lambda: scanner.looked_at, what="a first look")
        scanner.is_asleep = False
        wait_until(lambda: state(good) == "ready", seconds=60, what="the second look")
        assert person.http.get(f"/v1/files/{good['id']}/content").status_code == 200
        assert upload(person, noise(500_000))["state"] == "ready", "the same content need not be looked at twice"
        bad = upload(person, b"harmless at first " + MALWARE)
        wait_until(lambda: state(bad) == "rejected", seconds=60)
        known = person.expect(200, "GET", f"/v1/files/{bad['id']}")
        assert known["rejection"] == "Test.Malware"
        assert person.http.get(f"/v1/files/{bad['id']}/content").status_code == 409
        assert person.expect(200, "GET", "/v1/file-usage")["stored_bytes"] == 500_000
        assert "ok    clamd" in instance.command("doctor").stdout
        figures = person.http.get("/metrics").text.splitlines()
        assert {"files_kept_total 3", "files_deduplicated_total 1", "files_rejected_total 1"} <= set(figures), figures
    finally:
        instance.remove()
        scanner.shutdown()


@pytest.mark.skipif(not shutil.which("clamd"), reason="clamd is not installed")
def test_clamd_itself_tells_the_good_from_the_bad(mailbox):
    scanner = RealClamd()
    instance = Instance(INFINITY_SMTP_URL=f"smtp://127.0.0.1:{mailbox.port}", INFINITY_CLAMD=scanner.address)
    try:
        instance.start()
        person = Person(instance, mailbox).sign_up(company="Careful")
        good, bad = upload(person, noise(3 * MEGABYTE)), upload(person, b"harmless at first " + MALWARE)
        state = lambda file: person.expect(200, "GET", f"/v1/files/{file['id']}")["state"]
        wait_until(lambda: (state(good), state(bad)) == ("ready", "rejected"), seconds=60)
        rejection = person.expect(200, "GET", f"/v1/files/{bad['id']}")["rejection"]
        assert rejection.startswith("Test.Malware")
        assert "ok    clamd" in instance.command("doctor").stdout
    finally:
        instance.remove()
        scanner.stop()


@pytest.fixture(scope="module")
def bucket():
    bucket = Bucket()
    yield bucket
    bucket.stop()
