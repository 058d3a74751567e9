"""A real `infinity serve`, with an embedded database or a given one, on free ports of the loopback address."""
import contextlib
import http.client
import itertools
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.environ.get("INFINITY_BINARY", os.path.join(ROOT, ".build", "debug", "infinity"))
DOCS = os.path.join(ROOT, ".build", "docs-assets")
# Below the ports that the kernel hands to outgoing connections, and apart for tests that run at the same time.
_ports = itertools.count(11000 + os.getpid() % 8000)


def free_port():
    for port in _ports:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def wait_until(condition, seconds=30, every=0.02, what="it"):
    """What `condition` gives as soon as it is true; fails when the time is up."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"{what} did not happen within {seconds} s"
        time.sleep(every)


def new_folder():
    """A folder that the database's own user can reach."""
    folder = tempfile.mkdtemp(prefix="infinity-clients-", dir="/tmp")
    os.chmod(folder, 0o755)
    return folder


class Instance:
    """One running server. Its log is kept and shown when it does not start."""

    def __init__(self, data=None, **settings):
        self.data = data or new_folder()
        self.owns_data = data is None
        self.http_port, self.https_port = free_port(), free_port()
        self.settings = {
            "INFINITY_MODE": "development", "INFINITY_BIND": "127.0.0.1", "INFINITY_DATA": self.data,
            "INFINITY_HTTP_PORT": str(self.http_port), "INFINITY_HTTPS_PORT": str(self.https_port),
            "INFINITY_PUBLIC_URL": f"https://localhost:{self.https_port}",
            # Cheap passwords, and no limit on what one address asks: the tests are one address.
            "INFINITY_BCRYPT_COST": "4", "INFINITY_RATE_LIMITS": "off", "INFINITY_DOCS_DIR": DOCS, **settings}
        self.process = None
        self.log_path = tempfile.mkstemp(prefix="infinity-clients-", suffix=".log", dir="/tmp")[1]

    url = property(lambda self: f"http://127.0.0.1:{self.http_port}")
    https_url = property(lambda self: f"https://localhost:{self.https_port}")

    def environment(self):
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("INFINITY_", "PG", "DATABASE_URL"))}
        return {**clean, **{key: value for key, value in self.settings.items() if value is not None}}

    def start(self, *arguments, ready_within=60):
        """Returns the seconds from the start of the process to the first 200 of /readyz."""
        begun = time.monotonic()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([BINARY, "serve", *arguments], env=self.environment(), stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True)
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() - begun > ready_within:
                code = self.process.poll()
                self.stop()
                raise AssertionError(f"infinity is not ready (exit {code}):\n{self.log()[-4000:]}")
            time.sleep(0.005)
        return time.monotonic() - begun

    def is_ready(self):
        try:
            return self.status("/readyz") == 200
        except (OSError, http.client.HTTPException):
            return False

    def status(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        finally:
            connection.close()

    def command(self, *arguments, **options):
        return subprocess.run([BINARY, *arguments], env=self.environment(), stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, timeout=60, **options)

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def certificate(self):
        return ssl.get_server_certificate(("127.0.0.1", self.https_port))

    def trust(self):
        """A TLS context that trusts this server's own certificate and no other."""
        context = ssl.create_default_context(cadata=self.certificate())
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        return context

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def kill(self):
        """As a crash does it: no word to the server, nor to its database."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self, within=30):
        """Ends it in good order; returns its exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.terminate()
        try:
            code = self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"infinity ignored SIGTERM for {within} s:\n{self.log()[-3000:]}") from None
        self.process = None
        return code

    def remove(self):
        self.stop()
        os.unlink(self.log_path)
        if self.owns_data:
            shutil.rmtree(self.data, ignore_errors=True)

    def document(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=10)
        connection.request("GET", "/openapi.json")
        answer = connection.getresponse()
        assert answer.status == 200
        return json.loads(answer.read())


@contextlib.contextmanager
def two_instances(of_second=None, **settings):
    """Two running servers of one installation: one folder with its keys, one database; `of_second` is for the second alone."""
    first = Instance(**settings)
    second = Instance(data=first.data, **settings, **(of_second or {}))
    try:
        first.start()
        second.start()
        yield first, second
    finally:
        second.remove()
        first.remove()
