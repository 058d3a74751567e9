#!/usr/bin/env python3
"""Starts a server, signs an owner up, and lets schemathesis try whatever the document allows and forbids.

Arguments go to `schemathesis run`.
"""
import os
import socket
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "Clients"))

from instance import Instance  # noqa: E402
from mailbox import Mailbox  # noqa: E402
from people import PASSWORD, Person  # noqa: E402

# These end the account or the company that the run works with; the client tests cover them.
ENDS_THE_RUN = [
    ("DELETE", "/v1/auth/me"), ("PUT", "/v1/auth/password"), ("DELETE", "/v1/company"), ("POST", "/v1/company/departure"),
]


def main():
    mailbox = Mailbox().start()
    server = Instance(
        INFINITY_SMTP_URL=f"smtp://127.0.0.1:{mailbox.port}", INFINITY_ACCESS_TOKEN_SECONDS="3600",
        INFINITY_NAME_SERVERS=f"127.0.0.1:{name_server()}")
    try:
        server.start()
        owner = Person(server, mailbox).sign_up(company="Contract")
        owner.expect(201, "POST", "/v1/teams", json={"name": "First"})
        owner.colleague("manager")
        project = owner.expect(201, "POST", "/v1/projects", json={"name": "Contract", "key": "CON"})
        owner.expect(200, "POST", f"/v1/projects/{project['id']}/activate")
        sprint = owner.expect(201, "POST", f"/v1/projects/{project['id']}/sprints", json={
            "name": "One", "starts_on": "2026-11-01", "ends_on": "2026-11-14"})
        for title in ("First", "Second"):
            owner.expect(201, "POST", "/v1/tasks", json={
                "project_id": project["id"], "title": title, "sprint_id": sprint["id"], "points": 3})
        server.command("operator", "add", owner.email, check=True)
        command = [os.path.join(os.path.dirname(sys.executable), "schemathesis"), "--config-file", os.path.join(HERE, "schemathesis.toml"),
                   "run", server.url + "/openapi.json", "--suppress-health-check", "all"]
        command += excluded(server.document()) + sys.argv[1:]
        environment = {**os.environ, "INFINITY_URL": server.url, "INFINITY_EMAIL": owner.email, "INFINITY_PASSWORD": PASSWORD,
                       "PYTHONPATH": HERE}
        code = subprocess.run(command, env=environment, cwd=HERE).returncode
        assert server.is_ready(), f"the server did not survive:\n{server.log()[-4000:]}"
        for line in server.log().splitlines():
            if '"level":"error"' in line:
                print(line)
        return code
    finally:
        server.remove()
        mailbox.stop()


def name_server():
    """A port on which every name is said not to exist."""
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    line.bind(("127.0.0.1", 0))

    def answer():
        while True:
            question, client = line.recvfrom(512)
            line.sendto(question[:2] + b"\x81\x83" + question[4:], client)
    threading.Thread(target=answer, daemon=True).start()
    return line.getsockname()[1]


def excluded(document):
    options = []
    for method, path in ENDS_THE_RUN:
        operation = document["paths"].get(path, {}).get(method.lower())
        if operation:
            options += ["--exclude-operation-id", operation["operationId"]]
    return options


if __name__ == "__main__":
    sys.exit(main())
