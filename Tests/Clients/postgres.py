"""A PostgreSQL of the tests' own, and PgBouncer in front of it."""
import glob
import os
import shutil
import signal
import subprocess

from instance import free_port, new_folder, wait_until


def as_database_user(folder):
    """PostgreSQL and PgBouncer refuse to run as root."""
    if os.getuid() != 0:
        return []
    shutil.chown(folder, "postgres")
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]


class Cluster:
    def __init__(self):
        self.folder, self.port = new_folder(), free_port()
        self.data = os.path.join(self.folder, "data")
        self.bin = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        self.prefix = as_database_user(self.folder)
        self.environment = {"PATH": os.environ["PATH"], "HOME": self.folder, "LC_ALL": "C.UTF-8"}
        self.process = None

    def run(self, *command):
        subprocess.run([*self.prefix, *command], cwd=self.folder, env=self.environment, check=True, capture_output=True)

    def start(self, *options):
        self.run(f"{self.bin}/initdb", "-D", self.data, "-U", "infinity", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        return self.run_server(*options)

    def follow(self, primary):
        """Begins as a copy of `primary` and streams from it."""
        self.run(f"{self.bin}/pg_basebackup", "-D", self.data, "-d", primary.url("postgres"), "-R", "-c", "fast", "-N")
        return self.run_server()

    def run_server(self, *options):
        self.process = subprocess.Popen(
            [*self.prefix, f"{self.bin}/postgres", "-D", self.data, "-p", str(self.port), "-c", "listen_addresses=127.0.0.1",
             "-c", f"unix_socket_directories={self.folder}", "-c", "timezone=UTC", "-c", "fsync=off", *options],
            cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(os.path.join(self.folder, "log"), "ab"), start_new_session=True)
        wait_until(lambda: self.answers(), 60, what="the start of PostgreSQL")
        return self

    def promote(self):
        self.sql("postgres", "SELECT pg_promote(wait => true)")

    def kill(self):
        """As a machine dies: all its processes at once, without a word."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def transactions(self, name):
        """How many the statistics know of in this database."""
        return int(self.sql("postgres", f"SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = '{name}'"))

    def answers(self):
        return subprocess.run([f"{self.bin}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]).returncode == 0

    def create(self, name):
        self.run(f"{self.bin}/createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "infinity", name)
        return self.url(name)

    def url(self, name):
        return f"postgresql://infinity@127.0.0.1:{self.port}/{name}"

    def sql(self, name, text):
        return subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", self.url(name), "-c", text], text=True, check=True,
                              stdout=subprocess.PIPE).stdout.strip()

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)  # the fast way out: clients are cut off
            self.process.wait(15)
            self.process = None
        shutil.rmtree(self.folder, ignore_errors=True)


class Pooler:
    """PgBouncer in transaction mode, with fewer server connections than Infinity opens to it."""

    SETTINGS = """
[databases]
* = host=127.0.0.1 port={cluster}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 4
max_client_conn = 200
logfile = {folder}/log
pidfile = {folder}/pid
"""

    def __init__(self, cluster):
        self.folder, self.port, self.cluster = new_folder(), free_port(), cluster
        with open(os.path.join(self.folder, "users"), "w") as file:
            file.write('"infinity" ""\n')
        with open(os.path.join(self.folder, "pgbouncer.ini"), "w") as file:
            file.write(self.SETTINGS.format(cluster=cluster.port, port=self.port, folder=self.folder))
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            [*as_database_user(self.folder), shutil.which("pgbouncer") or "/usr/sbin/pgbouncer", "-q",
             os.path.join(self.folder, "pgbouncer.ini")],
            cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        wait_until(lambda: subprocess.run([f"{self.cluster.bin}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]).returncode == 0,
                   what="the start of PgBouncer")
        return self

    def url(self, name):
        return f"postgresql://infinity@127.0.0.1:{self.port}/{name}"

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
            self.process = None
        shutil.rmtree(self.folder, ignore_errors=True)
