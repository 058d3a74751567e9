#!/usr/bin/env python3
"""Starts a server, signs an owner up, and lets schemathesis try whatever the document allows and forbids.

Arguments go to `schemathesis run`.
"""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "Clients"))

from instance import Instance  # noqa: E402
from mailbox import Mailbox  # noqa: E402
from people import Person  # noqa: E402

# These end the session, the account or the company that the run works with; the client tests cover them.
ENDS_THE_RUN = [
    ("POST", "/v1/auth/logout"), ("DELETE", "/v1/auth/me"), ("PUT", "/v1/auth/password"), ("DELETE", "/v1/auth/sessions"),
    ("POST", "/v1/auth/company"), ("DELETE", "/v1/company"), ("POST", "/v1/company/departure"),
]


def main():
    mailbox = Mailbox().start()
    server = Instance(INFINITY_SMTP_URL=f"smtp://127.0.0.1:{mailbox.port}", INFINITY_ACCESS_TOKEN_SECONDS="3600")
    try:
        server.start()
        owner = Person(server, mailbox).sign_up(company="Contract")
        owner.expect(201, "POST", "/v1/teams", json={"name": "First"})
        owner.colleague("manager")
        token = owner.http.headers["Authorization"].removeprefix("Bearer ")
        command = [os.path.join(os.path.dirname(sys.executable), "schemathesis"), "--config-file", os.path.join(HERE, "schemathesis.toml"),
                   "run", server.url + "/openapi.json", "--suppress-health-check", "all"]
        command += excluded(server.document()) + sys.argv[1:]
        code = subprocess.run(command, env={**os.environ, "INFINITY_TOKEN": token}).returncode
        assert server.is_ready(), f"the server did not survive:\n{server.log()[-4000:]}"
        present = owner.http.get("/v1/auth/me")
        if present.status_code != 200:
            print(f"contract: some call ended the run's own session: {present.text}\n{last_acts(server)}", file=sys.stderr)
            code = code or 1
        return code
    finally:
        server.remove()
        mailbox.stop()


def last_acts(server):
    """What had succeeded just before the first refusal of the token that never came right again."""
    lines = [json.loads(line) for line in server.log().splitlines() if line.startswith('{"time"') and '"route"' in line]
    lines = [line for line in lines if line.get("message") == "request"]
    good = [number for number, line in enumerate(lines) if line["status"] < 300 and line.get("company_id")]
    return "\n".join(f"{line['method']} {line['path']} {line['status']}" for line in lines[max(0, good[-1] - 3):good[-1] + 3])


def excluded(document):
    options = []
    for method, path in ENDS_THE_RUN:
        operation = document["paths"].get(path, {}).get(method.lower())
        if operation:
            options += ["--exclude-operation-id", operation["operationId"]]
    return options


if __name__ == "__main__":
    sys.exit(main())
