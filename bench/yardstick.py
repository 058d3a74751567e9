#!/usr/bin/env python3
"""Lets a benchmark from outside drive Infinity over the same data as `make bench`.

    bench/yardstick.py prepare    migrates and fills a database "infinity" beside DATABASE_URL; prints it as environment
    bench/yardstick.py setup      logs in at BASE_URL; prints {"contexts": [{"token", "company", "projects"}]}
    bench/yardstick.py object     prints the server object that names both, the paths and the statements
"""
import json
import os
import subprocess
import sys
import tempfile
import urllib.parse

import servers
import world

HERE = os.path.dirname(os.path.abspath(__file__))
# The load sends one fixed body, so the name may repeat; the index stays, and costs what it costs.
REPEATING_NAMES = """
DROP INDEX teams_name_key;
CREATE INDEX teams_name_key ON teams (company_id, lower(name));
"""


class GivenCluster:
    """A database in somebody else's cluster."""

    def __init__(self, url):
        self.url = url

    def sql(self, text):
        result = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", self.url, "-f", "-"], input=text, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if result.returncode != 0:
            raise SystemExit(f"psql: {result.stderr}")
        return result.stdout


def prepare():
    given = os.environ["DATABASE_URL"]
    GivenCluster(given).sql("CREATE DATABASE infinity")
    cluster = GivenCluster(urllib.parse.urlsplit(given)._replace(path="/infinity").geturl())
    folder = tempfile.mkdtemp(prefix="infinity-", dir=os.environ.get("TMPDIR"))
    world.load(cluster, folder)
    cluster.sql(REPEATING_NAMES)
    print(json.dumps({"DATABASE_URL": cluster.url, "INFINITY_DATA": os.path.join(folder, servers.Infinity.name, "data")}))


def setup():
    cluster = GivenCluster(os.environ["DATABASE_URL"])
    found = world.with_tokens(os.environ["BASE_URL"], world.companies(cluster))
    print(json.dumps({"contexts": [{"token": one["token"], "company": one["id"], "user": one["user"], "projects": one["teams"]}
                                   for one in found]}))


def server_object():
    me, sql = os.path.join(HERE, "yardstick.py"), lambda name: os.path.join(HERE, "sql", name + ".sql")
    binary = os.environ.get("INFINITY_BINARY", os.path.join(os.path.dirname(HERE), ".build", "release", "infinity"))
    print(json.dumps({
        "name": "infinity", "note": "row-level security, access checks, audit, request ids, metrics and access log on",
        "cmd": [binary, "serve", "--no-work"], "prepare": [sys.executable, me, "prepare"], "setup": [sys.executable, me, "setup"],
        "env": {"INFINITY_PUBLIC_URL": "http://bench.example", "INFINITY_MODE": "development", "INFINITY_BIND": "127.0.0.1", "INFINITY_HTTP_PORT": "{port}",
                "INFINITY_HTTPS_PORT": "0", "INFINITY_RATE_LIMITS": "off", "INFINITY_BCRYPT_COST": "4", "INFINITY_ACCESS_TOKEN_SECONDS": "86400"},
        "paths": {"project_get": "/v1/teams/{project}", "project_list": "/v1/teams?limit=50",
                  "task_list": "/v1/activity?limit=100", "task_create": "/v1/teams"},
        "rows": "data", "body": '{"name":"A team","description":"Made under load","color":"#10b981"}',
        "endpoints": ["healthz", "project_get", "project_list", "task_list", "task_create"],
        "sql": {"project_get": [sql("team_get"), "{company}", "{project}"], "project_list": [sql("team_list"), "{company}", "51"],
                "task_list": [sql("activity_list"), "{company}", "101"],
                "task_create": [sql("team_create_fixed"), "{company}", "A team", "Made under load", "#10b981"]},
        "cleanup_sql": "DELETE FROM teams WHERE description = 'Made under load'; DELETE FROM audit_log WHERE action <> 'team.updated'; "
                       "DELETE FROM audit_unsealed; DELETE FROM outbox; "
                       "VACUUM teams, audit_log"}))


if __name__ == "__main__":
    {"prepare": prepare, "setup": setup, "object": server_object}[sys.argv[1]]()
