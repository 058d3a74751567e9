"""A private PostgreSQL cluster in a temporary folder: loopback only, gone when the run ends."""
import glob
import os
import shutil
import socket
import subprocess
import tempfile

SETTINGS = """
listen_addresses = '127.0.0.1'
max_connections = 200
shared_buffers = 256MB
max_wal_size = 4GB
checkpoint_timeout = 1h
jit = off
autovacuum = off
max_parallel_workers_per_gather = 0
timezone = 'UTC'
log_min_messages = warning
# The servers are compared, not the disk: no commit waits for it, for any of them.
synchronous_commit = off
"""


def free_port(first=21000, last=29000):
    """A port below those the kernel hands to outgoing connections."""
    for port in range(first + os.getpid() % 4000, last):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise SystemExit("no free port between %d and %d" % (first, last))


def binaries():
    folders = [os.environ["PG_BIN"]] if "PG_BIN" in os.environ else sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    for folder in reversed(folders):
        if os.path.exists(os.path.join(folder, "initdb")) and os.path.exists(os.path.join(folder, "pgbench")):
            return folder
    raise SystemExit("no PostgreSQL found: apt-get install postgresql")


class Cluster:
    def __init__(self):
        self.bin = binaries()
        self.folder = tempfile.mkdtemp(prefix="infinity-bench-pg-", dir="/tmp")
        os.chmod(self.folder, 0o755)
        self.port = free_port()
        # PostgreSQL refuses to run as root.
        self.prefix = []
        if os.getuid() == 0:
            shutil.chown(self.folder, "postgres")
            self.prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]
        self.pid = None

    def run(self, *command):
        environment = {"PATH": os.environ["PATH"], "HOME": self.folder, "LC_ALL": "C.UTF-8"}
        result = subprocess.run([*self.prefix, *command], cwd=self.folder, env=environment, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if result.returncode != 0:
            raise SystemExit(f"{command[0]} failed:\n{result.stdout}")
        return result.stdout

    def start(self):
        data = os.path.join(self.folder, "data")
        self.run(f"{self.bin}/initdb", "-D", data, "-U", "infinity", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        settings = SETTINGS + f"unix_socket_directories = '{self.folder}'\n"
        with open(os.path.join(data, "postgresql.conf"), "a") as file:
            file.write(settings)
        # pg_ctl's server would hold our pipe open for ever: its output goes to a file.
        self.run("sh", "-c", f'"{self.bin}/pg_ctl" -D "{data}" -o "-p {self.port}" -l "{self.folder}/log" -w -t 60 start >/dev/null 2>&1')
        with open(os.path.join(data, "postmaster.pid")) as file:
            self.pid = int(file.readline())
        self.run(f"{self.bin}/createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "infinity", "infinity")

    @property
    def url(self):
        return f"postgresql://infinity@127.0.0.1:{self.port}/infinity"

    def sql(self, text):
        result = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", self.url, "-f", "-"], input=text, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if result.returncode != 0:
            raise SystemExit(f"psql: {result.stderr}")
        return result.stdout

    def stop(self):
        if self.pid is not None:
            self.run(f"{self.bin}/pg_ctl", "-D", os.path.join(self.folder, "data"), "-m", "immediate", "-w", "-t", "30", "stop")
            self.pid = None
        shutil.rmtree(self.folder, ignore_errors=True)
