#!/usr/bin/env python3
"""Measures the job queue beside procrastinate and pgqueuer on a PostgreSQL of its own, and prints a table.

    swift build -c release --product jobs-bench
    python3 -m venv .build/bench/jobs && .build/bench/jobs/bin/pip install -r bench/jobs/requirements.txt
    .build/bench/jobs/bin/python bench/jobs/run.py [--jobs 50000] [--only infinity]
    .build/bench/jobs/bin/python bench/jobs/run.py --enqueue 5     one by one, in turns with a bare INSERT by pgbench
    .build/bench/jobs/bin/python bench/jobs/run.py --beside        work beside a million finished, and a million waiting

Jobs do nothing. synchronous_commit is off for all. CPU is in seconds for 10,000 jobs: of the workers, and of PostgreSQL.
JOBS_BENCH names another jobs-bench than that of .build/release.
"""
import argparse
import glob
import os
import pathlib
import pwd
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BENCH = os.environ.get("JOBS_BENCH", ROOT / ".build/release/jobs-bench")
PORT = 28431
URL = f"postgresql://postgres@127.0.0.1:{PORT}/bench"


class Postgres:
    """A cluster in a folder of its own; PostgreSQL refuses to run as root, so then it runs as `postgres`."""

    def __enter__(self):
        self.bin = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        self.folder = tempfile.mkdtemp(prefix="jobs-bench-")
        self.user = pwd.getpwnam("postgres") if os.getuid() == 0 else None
        if self.user:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        data = self.folder + "/data"
        self.run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync")
        settings = {
            "port": PORT, "listen_addresses": "127.0.0.1", "unix_socket_directories": self.folder,
            "synchronous_commit": "off", "shared_buffers": "256MB", "max_wal_size": "4GB", "max_connections": "100",
        }
        with open(data + "/postgresql.conf", "a") as conf:
            conf.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        self.server = subprocess.Popen(
            [self.bin + "/postgres", "-D", data], preexec_fn=self.become, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, cwd=self.folder)
        for _ in range(200):
            if subprocess.run([self.bin + "/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(PORT)]).returncode == 0:
                return self
            time.sleep(0.05)
        raise SystemExit("PostgreSQL did not start")

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def become(self):
        if self.user:
            os.setgid(self.user.pw_gid)
            os.setuid(self.user.pw_uid)

    def run(self, program, *arguments):
        subprocess.run(
            [self.bin + "/" + program, *arguments], check=True, preexec_fn=self.become, stdout=subprocess.DEVNULL,
            cwd=self.folder)

    def sql(self, text, database="bench"):
        return subprocess.run(
            ["psql", "-qAtX", "-h", "127.0.0.1", "-p", str(PORT), "-U", "postgres", "-d", database, "-c", text],
            check=True, capture_output=True, text=True).stdout.strip()

    def fresh(self):
        self.sql("DROP DATABASE IF EXISTS bench WITH (FORCE)", "postgres")
        self.sql("CREATE DATABASE bench", "postgres")

    def cpu(self):
        """CPU seconds of the server and all its children, the ended ones too."""
        ticks = os.sysconf("SC_CLK_TCK")
        total = 0
        pids = [self.server.pid] + [int(p) for p in children(self.server.pid)]
        for pid in pids:
            try:
                fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            except FileNotFoundError:
                continue
            own, waited = int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])
            total += own + (waited if pid == self.server.pid else 0)
        return total / ticks


def children(pid):
    return subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()


class Infinity:
    name = "infinity"

    def __init__(self, pg):
        self.pg = pg

    def setup(self):
        self.pg.fresh()
        for path in sorted((ROOT / "Migrations").glob("*.sql")):
            if path.name == "0001_roles.sql":
                self.pg.sql("CREATE TABLE IF NOT EXISTS schema_migrations (number integer)")
            subprocess.run(
                ["psql", "-qX", "-1", "-v", "ON_ERROR_STOP=1", URL, "-f", str(path)], check=True, capture_output=True)

    def enqueue(self, count, batch):
        out = subprocess.run([BENCH, "enqueue", URL, str(count), str(batch)], check=True, capture_output=True, text=True)
        return count / float(out.stdout.split()[0])

    def work(self, workers, count):
        begun, db = time.time(), self.pg.cpu()
        running = [subprocess.Popen([BENCH, "work", URL], stdout=subprocess.PIPE, text=True) for _ in range(workers)]
        parts = [process.communicate()[0].split() for process in running]
        done = sum(int(p[0]) for p in parts)
        assert done == count, f"{done} of {count}"
        return count / max(float(p[1]) for p in parts if int(p[0])), sum(float(p[2]) for p in parts), self.pg.cpu() - db

    def latency(self, count):
        out = subprocess.run([BENCH, "latency", URL, str(count)], check=True, capture_output=True, text=True)
        return tuple(float(x) for x in out.stdout.split())


class Peer:
    """A queue in Python, driven by peer.py."""

    def __init__(self, pg, name):
        self.pg, self.name = pg, name

    def call(self, *arguments):
        out = subprocess.run(
            [sys.executable, HERE / "peer.py", self.name, *map(str, arguments)], check=True, capture_output=True, text=True,
            env={**os.environ, "URL": URL})
        return [float(x) for x in out.stdout.split()]

    def setup(self):
        self.pg.fresh()
        self.call("setup")

    def enqueue(self, count, batch):
        return count / self.call("enqueue", count, batch)[0]

    def work(self, workers, count):
        db = self.pg.cpu()
        running = [
            subprocess.Popen(
                [sys.executable, HERE / "peer.py", self.name, "work"], stdout=subprocess.PIPE, text=True,
                env={**os.environ, "URL": URL}) for _ in range(workers)]
        parts = [[float(x) for x in process.communicate()[0].split()] for process in running]
        return count / max(p[1] for p in parts if p[0]), sum(p[2] for p in parts), self.pg.cpu() - db

    def latency(self, count):
        return tuple(self.call("latency", count))


# What any queue in PostgreSQL must do at least for one job: this row, without a key, in a transaction of its own.
BARE_INSERT = """
INSERT INTO jobs (id, queue, kind, priority, attempts_max, lease_seconds, arguments)
VALUES (gen_random_uuid(), 'default', 'bench.nothing', 5, 20, 30, '{"number": 1, "at": 0}');
"""


def bare_inserts(pg, count):
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(BARE_INSERT)
        script.flush()
        out = subprocess.run(
            [pg.bin + "/pgbench", "-n", "-M", "prepared", "-c", "1", "-t", str(count), "-f", script.name, URL], check=True,
            capture_output=True, text=True).stdout
    return float(out.split("tps = ")[1].split()[0])


def enqueue_in_turns(pg, rounds, count):
    """Each round measures all of them, so that what else the machine does falls on all alike."""
    infinity, peer = Infinity(pg), Peer(pg, "pgqueuer")
    found = {"bare INSERT (pgbench)": [], "infinity": [], "pgqueuer": []}
    for _ in range(rounds):
        infinity.setup()
        found["bare INSERT (pgbench)"].append(bare_inserts(pg, count))
        found["infinity"].append(infinity.enqueue(count, 1))
        peer.setup()
        found["pgqueuer"].append(peer.enqueue(count, 1))
    floor = found["bare INSERT (pgbench)"]
    print("| one by one, one client | enqueue/s, median | least | most | of the bare INSERT of its round, median |")
    print("|---|--:|--:|--:|--:|")
    for name, rates in found.items():
        share = statistics.median(rate / bare for rate, bare in zip(rates, floor))
        print(f"| {name} | {statistics.median(rates):,.0f} | {min(rates):,.0f} | {max(rates):,.0f} | {share:.2f} |", flush=True)


MILLION = {
    "nothing": "",
    "a million finished": """
        INSERT INTO jobs_done (id, queue, kind, priority, state, attempt, attempts_max, arguments, errors, created_at)
        SELECT gen_random_uuid(), 'default', 'bench.nothing', 5, 'done', 1, 20, '{"number": 1, "at": 0}', '[]', now()
          FROM generate_series(1, 1000000)""",
    "a million waiting": """
        INSERT INTO jobs (id, queue, kind, priority, attempts_max, lease_seconds, arguments, due_at)
        SELECT gen_random_uuid(), 'default', 'bench.nothing', 5, 20, 30, '{"number": 1, "at": 0}',
               now() - interval '1 hour' + n * interval '1 millisecond'
          FROM generate_series(1, 1000000) n""",
}


def work_beside(pg, count):
    """Of a million waiting all are worked off, and the rate is that of the whole."""
    queue, first = Infinity(pg), None
    print("| beside | work/s, 1 worker | of the first | CPU worker | CPU database |")
    print("|---|--:|--:|--:|--:|")
    for name, statement in MILLION.items():
        queue.setup()
        if statement:
            pg.sql(statement)
        waiting = int(pg.sql("SELECT count(*) FROM jobs"))
        if not waiting:
            queue.enqueue(count, 100)
        pg.sql("VACUUM ANALYZE jobs")
        pg.sql("VACUUM ANALYZE jobs_done")
        done = waiting or count
        rate, cpu, db = queue.work(1, done)
        first = first or rate
        print(f"| {name} | {rate:,.0f} | {rate / first:.2f} | {cpu * 1e4 / done:.2f} | {db * 1e4 / done:.2f} |", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=50_000)
    parser.add_argument("--peer-jobs", type=int, default=10_000)
    parser.add_argument("--only", default="infinity,pgqueuer,procrastinate")
    parser.add_argument("--enqueue", type=int, metavar="ROUNDS")
    parser.add_argument("--beside", action="store_true")
    options = parser.parse_args()
    if options.enqueue or options.beside:
        with Postgres() as pg:
            if options.enqueue:
                enqueue_in_turns(pg, options.enqueue, 5_000)
            if options.beside:
                work_beside(pg, options.jobs)
        return
    print("| queue | enqueue/s, one by one | by 100 | work/s, 1 worker | 2 workers | CPU worker | CPU database | idle p50 ms | p99 ms |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|")
    with Postgres() as pg:
        for name in options.only.split(","):
            queue = Infinity(pg) if name == "infinity" else Peer(pg, name)
            count = options.jobs if name == "infinity" else options.peer_jobs
            queue.setup()
            single = queue.enqueue(2000, 1)
            queue.setup()
            batch = queue.enqueue(count, 100)
            one, cpu, db = queue.work(1, count)
            queue.setup()
            queue.enqueue(count, 100)
            two = queue.work(2, count)[0]
            queue.setup()
            p50, p99 = queue.latency(200)
            print(
                f"| {name} | {single:,.0f} | {batch:,.0f} | {one:,.0f} | {two:,.0f} | {cpu * 1e4 / count:.2f} "
                f"| {db * 1e4 / count:.2f} | {p50:.1f} | {p99:.1f} |", flush=True)


main()
