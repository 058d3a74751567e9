"""The data that everybody is measured on, and a token for each of twenty companies."""
import json
import os
import re
import subprocess
import urllib.error
import urllib.request

import servers

HERE = os.path.dirname(os.path.abspath(__file__))
PASSWORD = "Correct-horse-7-battery"
# So many companies, each with a token of its own and fifty teams: no single row, token or page is hot, and inserts do
# not meet the most teams that one company may have.
COMPANIES, TEAMS = int(os.environ.get("BENCH_COMPANIES", "200")), 50


def post(base, path, body):
    request = urllib.request.Request(base + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{path} answers {error.code}: {error.read()[:500]!r}")


def load(cluster, folder):
    """Migrates, signs one company up and copies it 200 times; returns the companies with ids, tokens and teams."""
    server = servers.Infinity(cluster, folder)
    subprocess.run([server.command()[0], "migrate"], check=True, stdout=subprocess.DEVNULL,
                   env={**servers.clean_environment(), **server.environment()})
    server.start()
    try:
        base = f"http://127.0.0.1:{server.port}"
        post(base, "/v1/auth/signup", {"email": "owner@bench.example", "password": PASSWORD, "name": "Bench Owner",
                                       "company_name": "Bench"})
        # What is queued is sealed; the program itself shows it in development.
        with urllib.request.urlopen(base + "/v1/dev/outbox", timeout=30) as answer:
            link = next(mail["context"]["link"] for mail in json.load(answer)["data"] if mail["to"] == "owner@bench.example")
        post(base, "/v1/auth/email-verification/confirm", {"token": re.split("[#=]", link.strip())[-1]})
        with open(os.path.join(HERE, "world.sql")) as file:
            cluster.sql(f"\\set companies {COMPANIES}\n" + file.read())
        return with_tokens(base, companies(cluster))
    finally:
        server.stop()


def companies(cluster):
    rows = cluster.sql(f"""
        SELECT json_build_object('id', c.id, 'user', u.id, 'email', u.email,
                   'teams', (SELECT json_agg(id) FROM (SELECT id FROM teams WHERE company_id = c.id ORDER BY id LIMIT {TEAMS}) t))
          FROM companies c
          JOIN users u ON u.email_norm = replace(c.slug, 'bench-', 'p1.') || '@bench.example'
         WHERE c.slug LIKE 'bench-%' ORDER BY c.id LIMIT {COMPANIES}""")
    return [json.loads(line) for line in rows.splitlines()]


def with_tokens(base, companies):
    for company in companies:
        answer = post(base, "/v1/auth/login", {"email": company["email"], "password": PASSWORD})
        company["token"] = answer["access_token"]
    return companies
