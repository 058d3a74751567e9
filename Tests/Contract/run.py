#!/usr/bin/env python3
"""Starts a server, signs an owner up, and lets schemathesis try whatever the document allows and forbids.

Arguments go to `schemathesis run`.
"""
import os
import subprocess
import sys

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
    # No name server listens there: what looks for a name learns so at once.
    server = Instance(
        INFINITY_SMTP_URL=f"smtp://127.0.0.1:{mailbox.port}", INFINITY_ACCESS_TOKEN_SECONDS="3600", INFINITY_NAME_SERVERS="127.0.0.1:9")
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
        return code
    finally:
        server.remove()
        mailbox.stop()


def excluded(document):
    options = []
    for method, path in ENDS_THE_RUN:
        operation = document["paths"].get(path, {}).get(method.lower())
        if operation:
            options += ["--exclude-operation-id", operation["operationId"]]
    return options


if __name__ == "__main__":
    sys.exit(main())
