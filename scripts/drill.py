#!/usr/bin/env python3
"""A crash drill: under load the servers and their database are killed at random, and in the end everything that was
acknowledged must be there exactly once.

    scripts/drill.py [MINUTES] [SEED]        2 minutes and a random seed unless said otherwise; `make drill MINUTES=10`

Two instances share one PostgreSQL. Clients make teams (each with an Idempotency-Key, asked again until it is answered),
upload files, change a member's roles and start jobs, and write down what was acknowledged. Meanwhile `kill -9` strikes an
instance, a backend or the whole database every few seconds. A receiver takes the webhooks and notes every one. Exit code
1 and a list when anything is missing, there twice, or was never delivered.
"""
import collections
import http.server
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".build/venv/bin/python"
if PYTHON.exists() and pathlib.Path(sys.prefix) != PYTHON.parent.parent:
    os.execv(PYTHON, [str(PYTHON), __file__, *sys.argv[1:]])
os.environ.setdefault("INFINITY_BINARY", str(ROOT / ".build/release/infinity"))
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "Tests/Clients"))

import httpx  # noqa: E402
from instance import Instance, wait_until  # noqa: E402
from mailbox import Mailbox  # noqa: E402
from people import Person  # noqa: E402
from postgres import Cluster  # noqa: E402

# Between two blows: long enough for work to get going, short enough for many of them.
PAUSE_SECONDS = (1.5, 5.0)
# What is still under way when the load ends has so long to be done, leases of the dead included.
SETTLE_SECONDS = 150
# A request is asked again for so long; by then the servers are back.
PATIENCE_SECONDS = 60


class Receiver:
    """Takes webhooks: how often each came, and whether it was always the same."""

    def __init__(self):
        self.times, self.bodies, self.changed, self.lock = collections.Counter(), {}, set(), threading.Lock()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.take(self.headers["webhook-id"], body)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass  # the sender died in the middle: that is the exercise

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hooks"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, id, body):
        with self.lock:
            self.times[id] += 1
            if self.bodies.setdefault(id, body) != body:
                self.changed.add(id)


class Database(Cluster):
    """A PostgreSQL that is killed and started again on its own data."""

    def __init__(self):
        super().__init__()
        self.name = "drill"

    def kill(self):
        self.process.kill()
        self.process.wait()

    def kill_backend(self):
        """The postmaster takes all others down with it and recovers."""
        pids = subprocess.run(["pgrep", "-P", str(self.postmaster())], capture_output=True, text=True).stdout.split()
        if pids:
            os.kill(int(random.choice(pids)), signal.SIGKILL)

    def postmaster(self):
        with open(os.path.join(self.folder, "data", "postmaster.pid")) as file:
            return int(file.readline())

    def start_again(self):
        """The dead postmaster's children let go of the shared memory when they notice; until then it cannot start."""
        def started():
            self.process = subprocess.Popen(
                [*self.prefix, f"{self.bin}/postgres", "-D", os.path.join(self.folder, "data"), "-p", str(self.port),
                 "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self.folder}", "-c", "timezone=UTC",
                 "-c", "fsync=off"],
                cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=open(os.path.join(self.folder, "log"), "ab"), start_new_session=True)
            end = time.monotonic() + 10
            while time.monotonic() < end and self.process.poll() is None:
                if self.answers():
                    return True
                time.sleep(0.05)
            return False
        wait_until(started, 60, what="the return of PostgreSQL")

    def rows(self, text):
        return [line.split("|") for line in self.sql(self.name, text).splitlines()]

    def number(self, text):
        return int(self.sql(self.name, text))


class Drill:
    def __init__(self, minutes, seed):
        self.minutes, self.random = minutes, random.Random(seed)
        self.mailbox, self.receiver, self.database = Mailbox().start(), Receiver(), Database()
        self.database.start()
        settings = {
            "DATABASE_URL": self.database.create(self.database.name), "INFINITY_PUBLIC_URL": "https://drill.example",
            "INFINITY_SMTP_URL": f"smtp://127.0.0.1:{self.mailbox.port}", "INFINITY_WEBHOOK_ALLOWED_RANGES": "127.0.0.0/8",
            "INFINITY_HTTPS_PORT": "0"}
        first = Instance(**settings)
        self.instances = [first, Instance(data=first.data, **settings)]
        self.is_over, self.blows = threading.Event(), collections.Counter()
        self.lock = threading.Lock()
        # What was acknowledged, and how many requests never got an answer.
        self.teams, self.files, self.jobs = {}, {}, []
        self.former_teams = []
        self.changes, self.unknown = 0, collections.Counter()

    def run(self):
        for instance in self.instances:
            instance.start()
        self.owner = Person(self.instances[0], self.mailbox).sign_up(company="Drill")
        self.colleague = self.owner.colleague("member")
        self.member = self.owner.member_id(self.colleague.email)
        self.roles = [self.owner.role_id("member"), self.owner.role_id("viewer")]
        self.endpoints = [
            self.owner.expect(201, "POST", "/v1/webhook-endpoints", json={"url": self.receiver.url})["id"] for _ in range(3)]
        self.told_before = self.told()
        workers = [threading.Thread(target=work, args=(number,)) for number, work in enumerate(
            [self.make_teams, self.make_teams, self.make_teams, self.upload_files, self.upload_files, self.change_roles, self.start_jobs])]
        for worker in workers:
            worker.start()
        self.strike()
        self.is_over.set()
        for worker in workers:
            worker.join(PATIENCE_SECONDS * 2)
            assert not worker.is_alive(), "a client never came to an end"
        self.settle()
        return self.faults()

    # MARK: the clients

    def ask(self, number, method, path, **options):
        """One answer, from whichever instance gives one; None when it is unknown what became of it."""
        instance = self.instances[(number + self.random.randrange(2)) % 2]
        try:
            answer = httpx.request(method, instance.url + path, headers={
                "Authorization": self.owner.http.headers["Authorization"], **options.pop("headers", {})}, timeout=15, **options)
        except httpx.HTTPError:
            time.sleep(0.1)
            return None
        if answer.status_code == 401:
            with self.lock:
                self.log_in()
            return None
        if answer.status_code >= 500:
            time.sleep(0.1)
            return None
        return answer

    def log_in(self):
        for instance in self.instances:
            try:
                return self.owner.log_in(at=instance)
            except (httpx.HTTPError, AssertionError):
                continue

    def make_teams(self, number):
        made = 0
        while not self.is_over.is_set():
            name, key = f"Team {number}-{made}", str(uuid.uuid4())
            made += 1
            end = time.monotonic() + PATIENCE_SECONDS
            while time.monotonic() < end:
                answer = self.ask(number, "POST", "/v1/teams", json={"name": name}, headers={"Idempotency-Key": key})
                if answer is None or answer.status_code == 409 and answer.json()["code"] == "request-in-flight":
                    continue
                if answer.status_code == 409 and answer.json()["code"] == "too-many-teams":
                    self.clear_teams(number)
                    break
                assert answer.status_code == 201, f"a team gave {answer.status_code}: {answer.text}"
                with self.lock:
                    self.teams[answer.json()["id"]] = name
                break

    def clear_teams(self, number):
        """A company may have so many: these make room for others, and only their records are held at the end."""
        with self.lock:
            done, self.teams = self.teams, {}
            self.former_teams += done
        for id in list(done):
            while True:
                answer = self.ask(number, "DELETE", f"/v1/teams/{id}")
                if answer is not None:
                    break

    def upload_files(self, number):
        made = 0
        while not self.is_over.is_set():
            name = f"file-{number}-{made}.txt"
            made += 1
            answer = self.ask(number, "POST", "/v1/files", files={"file": (name, f"contents of {name}\n" * 20, "text/plain")})
            if answer is None:
                self.unknown["files"] += 1
                continue
            assert answer.status_code == 201, f"a file gave {answer.status_code}: {answer.text}"
            with self.lock:
                self.files[answer.json()["id"]] = name

    def change_roles(self, number):
        while not self.is_over.is_set():
            answer = self.ask(number, "PUT", f"/v1/members/{self.member}/roles", json={"role_ids": [self.roles[self.changes % 2]]})
            with self.lock:
                if answer is None:
                    self.unknown["changes of role"] += 1
                else:
                    assert answer.status_code == 200, f"roles gave {answer.status_code}: {answer.text}"
                    self.changes += 1
            time.sleep(0.05)

    def start_jobs(self, number):
        while not self.is_over.is_set():
            since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 3600))
            answer = self.ask(number, "POST", f"/v1/webhook-endpoints/{self.random.choice(self.endpoints)}/recover", json={"since": since})
            if answer is not None and answer.status_code == 202:
                with self.lock:
                    self.jobs.append(answer.json()["job_id"])
            time.sleep(0.3)

    # MARK: the blows

    def strike(self):
        end = time.monotonic() + self.minutes * 60
        while time.monotonic() < end:
            time.sleep(self.random.uniform(*PAUSE_SECONDS))
            blow = self.random.choice(["an instance", "an instance", "both instances", "a backend", "the database"])
            self.blows[blow] += 1
            if blow == "a backend":
                self.database.kill_backend()
            elif blow == "the database":
                self.database.kill()
                time.sleep(self.random.uniform(0, 1))
                self.database.start_again()
            else:
                struck = self.instances if blow == "both instances" else [self.random.choice(self.instances)]
                for instance in struck:
                    instance.kill()
                for instance in struck:
                    instance.start()

    def settle(self):
        """Waits until nothing is under way any more."""
        for instance in self.instances:
            wait_until(instance.is_ready, 60, what="readiness")
        self.log_in()
        left = """SELECT (SELECT count(*) FROM reactions_due WHERE dead_at IS NULL) + (SELECT count(*) FROM webhook_deliveries)
                       + (SELECT count(*) FROM jobs WHERE kind = 'webhooks.recover')"""
        begun = time.monotonic()
        # Only what has been handed on is counted, so the count has to be nothing twice, a second apart.
        def is_quiet():
            if self.database.number(left):
                return False
            time.sleep(2)
            return not self.database.number(left)
        wait_until(is_quiet, SETTLE_SECONDS, every=0.5, what="the end of all work")
        self.settled = time.monotonic() - begun

    # MARK: the check

    def told(self):
        return self.database.number(
            "SELECT count(*) FROM notifications n JOIN notification_events e ON e.company_id = n.company_id AND e.id = n.event_id "
            "WHERE e.type = 'member.role_changed'")

    def faults(self):
        """Everything that is not as it was promised."""
        found, rows = [], self.database.rows
        def hold(what, wanted, given):
            missing, twice = sorted(set(wanted) - set(given)), sorted(key for key, count in collections.Counter(given).items() if count > 1)
            if missing:
                found.append(f"{len(missing)} {what} are missing: {missing[:5]}")
            if twice:
                found.append(f"{len(twice)} {what} are there twice: {twice[:5]}")
        hold("teams", self.teams, [row[0] for row in rows("SELECT id FROM teams")])
        hold("names of teams", self.teams.values(), [row[0] for row in rows("SELECT name FROM teams")])
        hold("records of teams", [*self.teams, *self.former_teams], [row[0] for row in rows("SELECT target_id FROM audit_log WHERE action = 'team.created'")])
        hold("files", self.files, [row[0] for row in rows("SELECT id FROM files")])
        hold("events of files", self.files, [row[0] for row in rows("SELECT subject_id FROM outbox WHERE type = 'file.uploaded'")])
        events = [row[0] for row in rows("SELECT id FROM outbox")]
        hold("events", [], events)
        messages = [row[0] for row in rows("SELECT id FROM webhook_messages")]
        hold("webhook messages", events, messages)
        hold("deliveries", ["msg_" + id.replace("-", "") for id in messages], list(self.receiver.times))
        if self.receiver.changed:
            found.append(f"{len(self.receiver.changed)} webhooks came with different bodies")
        for row in rows("SELECT f.company_id, f.position, count(m.id), max(m.position) FROM webhook_feeds f "
                        "LEFT JOIN webhook_messages m USING (company_id) GROUP BY 1, 2"):
            if len(set(row[1:])) != 1:
                found.append(f"the feed has gaps: {row}")
        jobs = [row[0] for row in rows("SELECT id FROM jobs UNION ALL SELECT id FROM jobs_done UNION ALL SELECT id FROM jobs_dead")]
        hold("jobs", self.jobs, jobs)
        told = self.told() - self.told_before
        if not self.changes <= told <= self.changes + self.unknown["changes of role"]:
            found.append(f"{told} notifications for {self.changes} changes of role and {self.unknown['changes of role']} unknown ones")
        found += self.chain()
        dead = self.database.number("SELECT count(*) FROM reactions_due WHERE dead_at IS NOT NULL")
        if dead:
            found.append(f"{dead} reactions were given up")
        return found

    def chain(self):
        def verified():
            verdict, at = None, None
            while True:
                verdict = self.owner.expect(200, "GET", "/v1/audit-events/verify", params={} if at is None else {"from_seq": at})
                at = verdict.get("next_seq")
                if not verdict["is_whole"] or at is None:
                    return verdict
        # What was written last may still wait for its seal.
        for _ in range(20):
            verdict = verified()
            if verdict["is_whole"]:
                return []
            time.sleep(1)
        return [f"the record of changes is not whole: {verdict}"]

    def report(self):
        times = self.receiver.times
        yield f"{sum(self.blows.values())} blows: " + ", ".join(f"{count} x {blow}" for blow, count in self.blows.most_common())
        yield (f"acknowledged: {len(self.teams) + len(self.former_teams)} teams, {len(self.files)} files, {self.changes} changes of role, {len(self.jobs)} jobs; "
               f"without an answer: {dict(self.unknown)}")
        yield (f"webhooks: {len(times)} messages to 3 endpoints, {sum(times.values())} deliveries, "
               f"{sum(times.values()) - 3 * len(times)} of them more than once; quiet {self.settled:.0f} s after the load")

    def end(self):
        self.is_over.set()
        for instance in reversed(self.instances):
            instance.remove()
        self.database.stop()
        self.mailbox.stop()
        self.receiver.server.shutdown()


def main():
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 2
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    print(f"drill: {minutes:g} minutes, seed {seed}", flush=True)
    drill = Drill(minutes, seed)
    try:
        faults = drill.run()
        for line in drill.report():
            print("drill: " + line)
        for fault in faults:
            print("drill: FAULT: " + fault)
        print("drill: " + ("nothing lost, nothing twice" if not faults else "not passed"))
        return 1 if faults else 0
    finally:
        drill.end()


if __name__ == "__main__":
    sys.exit(main())
