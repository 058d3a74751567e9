#!/usr/bin/env python3
"""Measures webhooks, the sender alone and with queue and log, against a hundred local receivers.

    swift build -c release --product webhook-bench && swift build -c release --product infinity && bench/webhooks/run.py

bare     the sender alone, 64 under way, beside libcurl driven from C (floor.c)
hang     200 a second to all receivers, of which a tenth answers after 15 s: how late the others are
queue    40,000 deliveries that wait in the database, with a row in the log for each
events   200 events a second recorded in the database, a tenth of the receivers hanging: event to receiver
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PYTHON = ROOT / ".build/venv/bin/python"
if PYTHON.exists() and pathlib.Path(sys.prefix) != PYTHON.parent.parent:
    os.execv(PYTHON, [str(PYTHON), __file__, *sys.argv[1:]])
os.environ.setdefault("INFINITY_BINARY", str(ROOT / ".build/release/infinity"))
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "Tests/Clients"))

from instance import Instance, free_port, wait_until  # noqa: E402
from mailbox import Mailbox  # noqa: E402
from people import Person  # noqa: E402
from postgres import Cluster  # noqa: E402

BENCH = os.environ.get("WEBHOOK_BENCH", str(ROOT / ".build/release/webhook-bench"))
RECEIVERS, PER_COMPANY = 100, 50


class Receivers:
    def __init__(self, hanging):
        self.port = free_port()
        self.process = subprocess.Popen([BENCH, "receive", str(self.port), str(hanging)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "listening\n"

    def report(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def stop(self):
        self.process.kill()
        self.process.wait()


def cpu_seconds(pid):
    """Of a process and its children."""
    ticks = 0
    for one in [pid, *map(int, subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split())]:
        try:
            fields = open(f"/proc/{one}/stat").read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def run(command, seconds=None):
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True)
    if seconds is None:
        answer = json.loads(process.stdout.readline())
    else:
        time.sleep(seconds)
        os.kill(process.pid, signal.SIGKILL)
        answer = None
    usage = os.wait4(process.pid, 0)[2]
    return answer, usage.ru_utime + usage.ru_stime


def bare(count=40_000, rounds=5):
    floor = ROOT / ".build/webhook-floor"
    subprocess.run(["cc", "-O2", "-Wno-deprecated-declarations", "-o", floor, ROOT / "bench/webhooks/floor.c", "-lcurl", "-lcrypto"], check=True)
    receivers = Receivers(0)
    try:
        commands = {"floor": [floor, receivers.port, count, 64], "ours": [BENCH, "send", receivers.port, count, 0, 64, 0]}
        # Turn by turn, so that whatever else the machine does falls on both.
        figures = {name: [] for name in commands}
        for _ in range(rounds):
            for name, command in commands.items():
                answer, cpu = run(command)
                assert answer["ok"] == count, answer
                figures[name].append((count / answer["seconds"], cpu / count * 1e4))
        for name, all in figures.items():
            rates = sorted(rate for rate, _ in all)
            print(f"bare, {name}: {rates[rounds // 2]:,.0f} deliveries/s ({rates[0]:,.0f} to {rates[-1]:,.0f}), "
                  f"{sorted(cpu for _, cpu in all)[rounds // 2]:.2f} s of CPU per 10,000", flush=True)
    finally:
        receivers.stop()


def hang():
    receivers = Receivers(10)
    try:
        run([BENCH, "send", receivers.port, 4000, 200, 100, 4], seconds=25)
        report = receivers.report()
        print(f"hang: {report['healthy'] / 36:.0f} % of the healthy, p50 {report['p50_ms']:.1f} ms, p99 {report['p99_ms']:.1f} ms", flush=True)
    finally:
        receivers.stop()


class World:
    """Two companies whose endpoints are the receivers; a thing of its own stands for each."""

    def __init__(self, hanging):
        self.receivers, self.mailbox, self.cluster = Receivers(hanging), Mailbox().start(), Cluster().start()
        self.instance = Instance(DATABASE_URL=self.cluster.create("bench"), INFINITY_SMTP_URL=f"smtp://127.0.0.1:{self.mailbox.port}",
                                 INFINITY_WEBHOOK_ALLOWED_RANGES="127.0.0.0/8", INFINITY_HTTPS_PORT="0")
        self.instance.start()
        self.endpoints = []
        for number in range(RECEIVERS):
            if number % PER_COMPANY == 0:
                person = Person(self.instance, self.mailbox).sign_up(company=f"Bench {number}")
            thing = f"00000000-0000-7000-8000-{number:012d}"
            person.expect(201, "POST", "/v1/webhook-endpoints", json={
                "url": f"http://127.0.1.{number + 1}:{self.receivers.port}/hooks", "channels": [f"thing:{thing}"]})
        self.sql = lambda text: self.cluster.sql("bench", text)
        self.sql("CREATE TABLE bench_things AS SELECT company_id, id AS endpoint_id, substr(channels[1], 7)::uuid AS thing, "
                 "row_number() OVER (ORDER BY channels[1]) - 1 AS number FROM webhook_endpoints")
        # UUIDs of version 7 whose time is now and whose rest is the number.
        self.sql("""CREATE FUNCTION bench_id(n bigint) RETURNS uuid LANGUAGE sql AS $$ SELECT (lpad(to_hex((extract(epoch FROM now())
                    * 1000)::bigint), 12, '0') || '7000' || '8000' || lpad(to_hex(n), 12, '0'))::uuid $$""")

    def usage(self):
        return cpu_seconds(self.instance.process.pid), cpu_seconds(self.cluster.process.pid)

    def stop(self):
        self.instance.remove()
        self.cluster.stop()
        self.mailbox.stop()
        self.receivers.stop()


DATA = """json_build_object('email', 'mara@example.com', 'stage', 'won', 'value_cents', 125000, 'currency', 'EUR', 'owner',
          json_build_object('id', '0193a5b2-7c1e-7d3a-9f00-5b1c2d3e4f51', 'name', 'Mara Lind'), 'converted_at',
          '2026-11-23T09:59:58Z', 'due', (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)"""


def queue(count=40_000):
    world = World(0)
    try:
        world.sql(f"""
            INSERT INTO webhook_messages (company_id, id, slot, position, type, channels, data, occurred_at)
            SELECT t.company_id, bench_id(n), (extract(month FROM now() AT TIME ZONE 'UTC')::int - 1) % 4, n, 'lead.converted', '{{}}', {DATA}, now()
              FROM generate_series(1, {count}) n JOIN bench_things t ON t.number = n % {RECEIVERS}""")
        world.sql(f"""
            INSERT INTO webhook_deliveries (endpoint_id, message_id, slot, company_id, due_at, cause)
            SELECT t.endpoint_id, m.id, m.slot, t.company_id, now(), 'event'
              FROM webhook_messages m JOIN bench_things t ON t.number = m.position % {RECEIVERS};
            ANALYZE webhook_deliveries; ANALYZE webhook_messages""")
        begun, before = time.monotonic(), world.usage()
        world.sql("UPDATE webhook_lanes SET due_at = now(); SELECT pg_notify('webhooks_due', '')")
        wait_until(lambda: world.sql("SELECT count(*) FROM webhook_deliveries") == "0", 120, every=0.2, what="an empty queue")
        seconds, after, report = time.monotonic() - begun, world.usage(), world.receivers.report()
        assert report["healthy"] == count, report
        logged = world.sql("SELECT count(*) FROM webhook_attempts WHERE outcome = 'delivered'")
        assert logged == str(count), logged
        print(f"queue: {count / report['seconds']:,.0f} deliveries/s with their log, CPU per 10,000: infinity "
              f"{(after[0] - before[0]) / count * 1e4:.2f} s, database {(after[1] - before[1]) / count * 1e4:.2f} s "
              f"(empty after {seconds:.1f} s)", flush=True)
    finally:
        world.stop()


def events(rate=200, seconds=20):
    world = World(10)
    try:
        time.sleep(2)
        process = subprocess.Popen(["psql", "-XqAt", world.cluster.url("bench")], stdin=subprocess.PIPE, text=True, stdout=subprocess.DEVNULL)
        begun, before = time.monotonic(), world.usage()
        for number in range(rate * seconds):
            wait = begun + number / rate - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            process.stdin.write(f"""INSERT INTO outbox (id, company_id, type, actor_kind, subject_type, subject_id, data)
                SELECT bench_id({number}), company_id, 'lead.converted', 'system', 'thing', thing, {DATA}::jsonb
                  FROM bench_things WHERE number = {number % RECEIVERS}; SELECT pg_notify('events', '');\n""".replace("\n", " ") + "\n")
            process.stdin.flush()
        time.sleep(5)
        after, report = world.usage(), world.receivers.report()
        count = rate * seconds
        print(f"events: {report['healthy'] / count / 0.9 * 100:.0f} % of the healthy, from event to receiver p50 {report['p50_ms']:.1f} ms, "
              f"p99 {report['p99_ms']:.1f} ms, max {report['max_ms']:.0f} ms; CPU per 10,000: infinity {(after[0] - before[0]) / count * 1e4:.1f} s, "
              f"database {(after[1] - before[1]) / count * 1e4:.1f} s", flush=True)
        process.stdin.close()
        process.wait()
    finally:
        world.stop()


if __name__ == "__main__":
    for name in sys.argv[1:] or ["bare", "hang", "queue", "events"]:
        {"bare": bare, "hang": hang, "queue": queue, "events": events}[name]()
