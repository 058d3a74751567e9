"""The servers that are compared: how each is started, asked and stopped. Ends only what it started."""
import base64
import hashlib
import hmac
import json
import os
import signal
import socket
import subprocess
import time

import machine
from database import free_port

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
TOOLS = os.path.join(ROOT, ".build", "bench")
SECRET = "only-for-the-benchmark-0123456789abcdef"


def signed(claims):
    """An HS256 token for the peers, which know no other kind."""
    encode = lambda part: base64.urlsafe_b64encode(part).rstrip(b"=")
    text = b".".join(encode(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return (text + b"." + encode(hmac.new(SECRET.encode(), text, hashlib.sha256).digest())).decode()


class Server:
    """One process (or family of processes) that answers on a port of its own."""

    name = note = ""
    endpoints = ("health", "one", "fifty", "hundred", "insert")
    health_path = "/healthz"

    def __init__(self, cluster, folder):
        self.cluster, self.folder = cluster, os.path.join(folder, self.name)
        os.makedirs(self.folder, exist_ok=True)
        self.port = free_port()
        self.process = None

    def command(self):
        raise NotImplementedError

    def environment(self):
        return {"PORT": str(self.port), "DATABASE_URL": self.cluster.url, "BENCH_SECRET": SECRET, "WORKERS": "2",
                "BENCH_SQL": os.path.join(HERE, "sql")}

    def token(self, company):
        return signed({"sub": company["user"], "cid": company["id"], "exp": int(time.time()) + 3600})

    def start(self):
        """Starts it; returns the seconds until the first 200 from its health check."""
        begun = time.perf_counter()
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(self.command(), cwd=self.folder, env={**clean_environment(), **self.environment()},
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        request = f"GET {self.health_path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
        while time.perf_counter() - begun < 30 and self.process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                    connection.settimeout(2)
                    connection.sendall(request)
                    if connection.recv(64).split(b" ")[1:2] == [b"200"]:
                        return time.perf_counter() - begun
            except OSError:
                pass
            time.sleep(0.001)
        self.stop()
        with open(os.path.join(self.folder, "log"), errors="replace") as log:
            raise RuntimeError(f"{self.name} does not start: {log.read()[-1500:]}")

    def pids(self, table=None):
        return machine.session_of(self.process.pid, table) if self.process else []

    def stop(self):
        if self.process is None:
            return
        for number, patience in ((signal.SIGTERM, 8), (signal.SIGKILL, 4)):
            for pid in self.pids():
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    pass
            end = time.monotonic() + patience
            while time.monotonic() < end and (self.process.poll() is None or self.pids()):
                time.sleep(0.02)
        self.process.wait()
        self.process = None


class Infinity(Server):
    name = "infinity"
    note = ("row-level security, access checks, record and event of each insert, request ids, metrics and access log all on; "
            "sealing records and handing on events is left to another process, as in a deployment of its own (`--no-work`)")

    def command(self):
        return [os.environ.get("INFINITY_BINARY", os.path.join(ROOT, ".build", "release", "infinity")), "serve", "--no-work"]

    def environment(self):
        # Limits off: sixty-four connections from one address are what they are there to stop. Passwords cheap: two hundred
        # people log in before the measurement, and nobody during it.
        # One address in all tokens, whatever port the process that made them had.
        return {"DATABASE_URL": self.cluster.url, "INFINITY_PUBLIC_URL": "http://bench.example", "INFINITY_MODE": "development", "INFINITY_BIND": "127.0.0.1",
                "INFINITY_HTTP_PORT": str(self.port), "INFINITY_HTTPS_PORT": "0", "INFINITY_RATE_LIMITS": "off", "INFINITY_BCRYPT_COST": "4",
                "INFINITY_ACCESS_TOKEN_SECONDS": "3600", "INFINITY_DATA": os.path.join(self.folder, "data")}

    def token(self, company):
        return company["token"]


class Nginx(Server):
    name, note, endpoints = "nginx", "a fixed reply from its configuration, two workers", ("health",)

    def command(self):
        with open(os.path.join(HERE, "peers", "nginx.conf")) as file:
            text = file.read().replace("@PORT@", str(self.port)).replace("@DIR@", self.folder)
        path = os.path.join(self.folder, "nginx.conf")
        with open(path, "w") as file:
            file.write(text)
        return ["/usr/sbin/nginx", "-c", path, "-e", os.path.join(self.folder, "error.log")]


class FastAPI(Server):
    name, note = "fastapi", "FastAPI, asyncpg, orjson, PyJWT under uvicorn with uvloop, two workers; no row-level security"

    def command(self):
        return [os.path.join(TOOLS, "venv", "bin", "uvicorn"), "fastapi_peer:app", "--app-dir", os.path.join(HERE, "peers"),
                "--host", "127.0.0.1", "--port", str(self.port), "--workers", "2", "--loop", "uvloop", "--http", "httptools",
                "--no-access-log", "--log-level", "warning", "--backlog", "4096"]


class Express(Server):
    name, note = "express", "Express 4, pg, two processes by node:cluster; no row-level security"

    def command(self):
        return ["node", os.path.join(HERE, "peers", "express_peer.js")]

    def environment(self):
        return {**super().environment(), "NODE_ENV": "production",
                "NODE_PATH": os.path.join(TOOLS, "node", "usr", "share", "nodejs")}


ALL = (Infinity, Nginx, FastAPI, Express)


def clean_environment():
    """The caller's own settings must not reach the servers."""
    return {key: value for key, value in os.environ.items()
            if not key.startswith(("INFINITY_", "PG")) and key != "DATABASE_URL"}
