"""Checks Dockerfile and docker-compose.yml without a Docker engine.

First what can be read (pinned bases, no root, files that exist, packages that exist, names of settings), then what
can be run: the script that makes the database, the server with the very environment the compose file gives it, and
the health checks of both.
"""

import json
import os
import pwd
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from fnmatch import fnmatch
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
BINARY = next((p for p in (ROOT / ".build/debug/infinity", ROOT / ".build/release/infinity") if p.exists()), None)
faults = []
done = []


def check(holds, sentence):
    (done if holds else faults).append(sentence)


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


# --- Dockerfile ------------------------------------------------------------------------------------------------

def instructions():
    text = (ROOT / "Dockerfile").read_text()
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    for line in joined.splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            yield word.upper(), rest.strip()


def stages():
    result = []
    for word, rest in instructions():
        if word == "FROM":
            image, _, name = rest.partition(" AS ")
            result.append({"image": image.strip(), "name": name.strip(), "lines": []})
        else:
            result[-1]["lines"].append((word, rest))
    return result


def of(stage, word):
    return [rest for name, rest in stage["lines"] if name == word]


def is_in_context(path):
    """Whether .dockerignore lets the path through: the last line that fits decides."""
    allowed = True
    for line in (ROOT / ".dockerignore").read_text().split():
        pattern = line.lstrip("!")
        if fnmatch(path, pattern) or path.startswith(pattern.rstrip("/") + "/"):
            allowed = line.startswith("!")
    return allowed


def packages_of(command):
    found = re.search(r"apt-get install ([^&]*)", command)
    return [word for word in found.group(1).split() if not word.startswith("-")] if found else []


def read_dockerfile():
    all_stages = stages()
    names = [stage["name"] for stage in all_stages]
    for stage in all_stages:
        where = stage["name"] or "the last stage"
        image = stage["image"]
        check(image in names or (":" in image and not image.endswith(":latest")), f"{where}: {image} names its version")
        check(not of(stage, "ADD"), f"{where}: COPY, not ADD")
        check(all(path.startswith("/") for path in of(stage, "WORKDIR")), f"{where}: WORKDIR is absolute")
        for rest in of(stage, "COPY"):
            words = rest.split()
            source = next((word[7:] for word in words if word.startswith("--from=")), None)
            paths = [word for word in words if not word.startswith("--")][:-1]
            if source:
                check(source in names, f"{where}: COPY --from={source} names a stage")
                continue
            for path in paths:
                check((ROOT / path.rstrip("/")).exists(), f"{where}: {path} is there to be copied")
                inside = path if not (ROOT / path).is_dir() or path.endswith("/") else path + "/x"
                check(is_in_context(inside.rstrip("/")) or is_in_context("scripts/docs-assets.sh") and path == "scripts/",
                      f"{where}: .dockerignore lets {path} through")
        for command in of(stage, "RUN"):
            short = command[:60]
            check(run(["bash", "-n", "-c", command]).returncode == 0, f"{where}: the shell reads `{short}`")
            if "apt-get install" in command:
                check("apt-get update" in command, f"{where}: lists are fetched in the layer that installs")
                check("--no-install-recommends" in command, f"{where}: no recommended packages")
                check("rm -rf /var/lib/apt/lists/*" in command, f"{where}: package lists are removed")
                check_packages(where, packages_of(command))
            for script in re.findall(r"\bscripts/[\w.-]+", command):
                check(os.access(ROOT / script, os.X_OK), f"{where}: {script} can be run")

    last = all_stages[-1]
    users = of(last, "USER")
    check(users and users[-1] not in ("root", "0"), "the last stage does not run as root")
    for word in ("HEALTHCHECK", "ENTRYPOINT", "CMD"):
        text = (of(last, word) or [""])[-1]
        text = text[text.find("CMD") + 3:] if word == "HEALTHCHECK" else text
        try:
            check(isinstance(json.loads(text), list), f"{word} is a list, not a line for a shell")
        except ValueError:
            check(False, f"{word} is a list, not a line for a shell")
    flags = re.search(r"RELEASE_FLAGS := (.*)", (ROOT / "Makefile").read_text()).group(1)
    build = " ".join(of(all_stages[-2], "RUN"))
    check(f"swift build {flags} " in build, "the image is built with the flags of `make release`")
    return last


def check_packages(where, packages):
    for package in packages:
        known = run(["apt-cache", "policy", package]).stdout
        check(re.search(r"Candidate: \d", known), f"{where}: Debian has {package}")


def check_libraries(last):
    """What the program is linked with must come with the packages of the image that runs."""
    packages = {package for command in of(last, "RUN") for package in packages_of(command)}
    base = {"libc6", "libcrypt1", "libgcc-s1", "libstdc++6"}
    for line in run(["ldd", str(BINARY)]).stdout.splitlines():
        found = re.match(r"\s*(\S+) => (/\S+)", line)
        if not found or "/swift/" in found.group(2) or found.group(1).startswith(("libswift", "lib_Foundation", "libFoundation", "libdispatch", "libBlocksRuntime")):
            continue
        if not is_direct(found.group(1)):
            continue
        owner = run(["dpkg", "-S", os.path.realpath(found.group(2))]).stdout or run(["dpkg", "-S", found.group(2)]).stdout
        package = owner.partition(":")[0]
        check(package in packages | base, f"the image has {package or 'nobody'}, for {found.group(1)}")


def is_direct(library):
    wanted = run(["readelf", "-d", str(BINARY)]).stdout if shutil.which("readelf") else ""
    return not wanted or f"[{library}]" in wanted


def environment_of(last):
    variables = {}
    for rest in of(last, "ENV"):
        variables.update(word.partition("=")[::2] for word in shlex.split(rest))
    return variables


# --- docker-compose.yml ----------------------------------------------------------------------------------------

def env_file():
    text = run(["bash", str(ROOT / "scripts/docker-env.sh")]).stdout
    return dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))


def interpolated(value, variables):
    def replace(found):
        name, operator, rest = found.group(1), found.group(2), found.group(3) or ""
        given = variables.get(name, "")
        if operator == ":?":
            check(given, f"scripts/docker-env.sh gives {name}")
        return given or (rest if operator == ":-" else "")
    return re.sub(r"\$\{(\w+)(?:(:\?|:-)([^}]*))?\}", replace, str(value))


def read_compose(last):
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    services = compose["services"]
    variables = env_file()
    for name, service in services.items():
        image = service.get("image", "")
        check("build" in service or (":" in image and not image.endswith(":latest")), f"{name}: {image} names its version")
        check("restart" in service, f"{name}: comes back after a failure")
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            there = (ROOT / source).exists() if source.startswith(".") else source in compose["volumes"]
            check(there, f"{name}: the volume {source} is there")
        for other, how in service.get("depends_on", {}).items():
            check(how["condition"] != "service_healthy" or "healthcheck" in services[other], f"{name}: {other} tells its health")
        for port in service.get("ports", []):
            check(port.startswith("127.0.0.1:"), f"{name}: {port} is open to this machine alone")
    check(services["mail"].get("profiles") == ["mail"], "the mail catcher is started only when asked for")
    environment = {k: interpolated(v, variables) for k, v in services["infinity"]["environment"].items()}
    database = {k: interpolated(v, variables) for k, v in services["database"]["environment"].items()}
    return {**environment_of(last), **environment}, database, services


# --- what can be run -------------------------------------------------------------------------------------------

def free_port():
    # Below the range that outgoing connections use.
    for port in range(21000, 32000, 7):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise SystemExit("no port is free")


class Cluster:
    """A PostgreSQL as the image makes it: a superuser with a password, and the script run once."""

    def __init__(self, folder, environment):
        self.bin = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        self.folder, self.port, self.environment = Path(folder), free_port(), environment
        user = pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self.rights = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        os.chmod(folder, 0o755)
        data = self.folder / "data"
        data.mkdir()
        os.chown(data, user.pw_uid, user.pw_gid)
        arguments = environment["POSTGRES_INITDB_ARGS"].split()
        made = run([self.bin / "initdb", "-D", data, "-U", "postgres", "--auth=trust", *arguments], cwd="/", **self.rights)
        check(made.returncode == 0, "initdb takes POSTGRES_INITDB_ARGS")
        hba = "local all postgres trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        (data / "pg_hba.conf").write_text(hba)
        self.process = subprocess.Popen(
            [self.bin / "postgres", "-D", data, "-p", str(self.port), "-k", data, "-c", "listen_addresses=127.0.0.1"],
            cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self.rights)

    def await_socket(self):
        return wait(lambda: (self.folder / f"data/.s.PGSQL.{self.port}").exists())

    def variables(self):
        return {**os.environ, **self.environment, "PGHOST": str(self.folder / "data"), "PGPORT": str(self.port), "POSTGRES_USER": "postgres"}

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)


def wait(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def run_everything(environment, database, services, last):
    with tempfile.TemporaryDirectory(prefix="infinity-docker-") as folder:
        cluster = Cluster(folder, database)
        server = None
        try:
            check(cluster.await_socket(), "the database starts")
            made = run(["bash", ROOT / "scripts/docker-database.sh"], env=cluster.variables())
            check(made.returncode == 0, f"scripts/docker-database.sh makes the role and the database {made.stderr.strip()}")
            health = services["database"]["healthcheck"]["test"][1:]
            answer = run([cluster.bin / health[0], *health[1:], "--port", str(cluster.port)])
            check(answer.returncode == 0, f"the health check of the database: {' '.join(health)}")

            port = free_port()
            variables = {"PATH": os.environ["PATH"], **environment}
            variables["DATABASE_URL"] = variables["DATABASE_URL"].replace("@database/", f"@127.0.0.1:{cluster.port}/")
            variables["INFINITY_DATA"] = folder + "/files"
            variables["INFINITY_HTTP_PORT"] = str(port)
            doctor = run([BINARY, "doctor", "--settings"], env=variables)
            check(doctor.returncode == 0, f"infinity takes every setting of the compose file {doctor.stderr.strip()}")
            probe = json.loads(of(last, "HEALTHCHECK")[-1].partition("CMD")[2])
            probe = [BINARY, *probe[1:]]
            check(run(probe, env=variables).returncode != 0, "the health check fails while nothing runs")
            command = json.loads(of(last, "CMD")[-1])
            server = subprocess.Popen([BINARY, *command], env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            healthy = wait(lambda: run(probe, env=variables).returncode == 0 or server.poll() is not None)
            check(healthy and server.poll() is None, "the health check succeeds once it serves")
            server.send_signal(signal.SIGTERM)
            _, log = server.communicate(timeout=40)
            check(server.returncode == 0, f"it ends with SIGTERM {log[-500:] if server.returncode else ''}")
        finally:
            if server and server.poll() is None:
                server.kill()
            cluster.stop()


def docker_compose():
    """Where the client knows compose, it may read the file too; it needs no engine for that."""
    if not shutil.which("docker") or run(["docker", "compose", "version"]).returncode != 0:
        return
    with tempfile.NamedTemporaryFile("w", suffix=".env") as file:
        file.write("".join(f"{k}={v}\n" for k, v in env_file().items()))
        file.flush()
        read = run(["docker", "compose", "--env-file", file.name, "--profile", "mail", "config", "--quiet"], cwd=ROOT)
        check(read.returncode == 0, f"docker compose reads the file {read.stderr.strip()}")


def main():
    last = read_dockerfile()
    environment, database, services = read_compose(last)
    docker_compose()
    if BINARY is None:
        sys.exit("lint-docker: the program is not built; run: swift build")
    check_libraries(last)
    run_everything(environment, database, services, last)
    for fault in faults:
        print(f"lint-docker: wrong: {fault}", file=sys.stderr)
    print(f"lint-docker: {len(done)} passed, {len(faults)} failed")
    sys.exit(1 if faults else 0)


main()
