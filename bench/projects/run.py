#!/usr/bin/env python3
"""Measures lists, details, boards, searches and reports of Projects over 1,000,000 tasks in 200 companies, at 64 connections.

    make bench-projects                                               everything: about ten minutes, after a release build
    bench/projects/run.py --tasks 100 --seconds 2 --print             small, to see that it works
    INFINITY_BINARY=.build/debug/infinity bench/projects/run.py …     another build

Makes the data in a PostgreSQL of its own, asks each route with its own company's token, and writes the figures and the
plans to docs/performance-projects.md. A plan that reads a whole table of tasks or of their history fails the run.
"""
import argparse
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))

import database  # noqa: E402
import load  # noqa: E402
import machine  # noqa: E402
import servers  # noqa: E402
import world  # noqa: E402

# Each with its path and the most its slowest hundredth may take, in milliseconds.
ROUTES = {
    "List of 50": ("/v1/tasks?limit=50", 20),
    "List of a project, by rank": ("/v1/tasks?project_id={project}&sort=rank&limit=50", 20),
    "List of one's own": ("/v1/tasks?assignee=me&limit=50", 20),
    "Detail": ("/v1/tasks/{task}", 20),
    "Board": ("/v1/projects/{project}/board", 100),
    "Search": ("/v1/tasks?q=newsletter&limit=50", 100),
    "Sprints": ("/v1/projects/{project}/sprints", 20),
    "Burndown": ("/v1/sprints/{sprint}/burndown", 100),
    "Burndown, picture": ("/v1/sprints/{sprint}/burndown.svg", 100),
    "Burnup": ("/v1/sprints/{sprint}/burnup", 100),
    "Sprint report": ("/v1/sprints/{sprint}/report", 100),
    "Velocity": ("/v1/projects/{project}/velocity", 100),
    "Cumulative flow": ("/v1/projects/{project}/cumulative-flow", 100),
    "Cycle time": ("/v1/projects/{project}/cycle-time", 100),
    "Forecast": ("/v1/projects/{project}/forecast", 100),
    "Workload": ("/v1/projects/{project}/workload", 100),
    "Overdue": ("/v1/projects/{project}/overdue", 100),
    "Time spent": ("/v1/projects/{project}/time-spent", 100),
}
# Tables of which no plan may read the neighbours' rows.
LARGE = ("tasks", "task_flow", "sprint_events", "task_assignees", "task_history", "time_entries")


def say(*words):
    print(time.strftime("%H:%M:%S"), *words, file=sys.stderr, flush=True)


def targets(cluster, companies):
    """For each company the ids that its requests name."""
    rows = cluster.sql("""
        SELECT json_build_object('company', p.company_id, 'project', p.id,
                   'sprint', (SELECT s.id FROM sprints s WHERE s.company_id = p.company_id AND s.project_id = p.id AND s.status = 'active'),
                   'tasks', (SELECT json_agg(t.id) FROM (SELECT id FROM tasks WHERE company_id = p.company_id AND project_id = p.id
                                                          ORDER BY number DESC LIMIT 20) t))
          FROM projects p""")
    found = {}
    for line in rows.splitlines():
        one = json.loads(line)
        found.setdefault(one["company"], []).append(one)
    for company in companies:
        company["projects"] = found[company["id"]]


def requests(companies, path):
    """Every address of a route, over all companies and their projects."""
    found = []
    for company in companies:
        for project in company["projects"]:
            task = project["tasks"][len(found) % len(project["tasks"])]
            found.append((path.format(project=project["project"], sprint=project["sprint"], task=task), company["token"]))
    return found[:1000]


def script(server, asked, path):
    heads = []
    for target, token in asked:
        lines = [f"GET {target} HTTP/1.1", f"Host: 127.0.0.1:{server.port}", f"Authorization: Bearer {token}"]
        heads.append("[==[" + "\n".join(lines) + "\n\n]==]")
    with open(path, "w") as file:
        file.write("local heads = {\n" + ",\n".join(heads) + "\n}\n"
                   "for i, head in ipairs(heads) do heads[i] = head:gsub('\\n', '\\r\\n') end\n"
                   "local next, count = 0, 0\n"
                   "function setup(thread) thread:set('first', count * 37); count = count + 1 end\n"
                   "function init(args) next = first end\n"
                   "function request() next = next % #heads + 1; return heads[next] end\n"
                   "function done(summary, latency)\n    local e = summary.errors\n"
                   "    io.write(string.format('\\nRESULT %d %d %d %d %d\\n', summary.duration, summary.requests,\n"
                   "        latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))\nend\n")


def measure(server, asked, seconds, connections, folder):
    path = os.path.join(folder, "projects.lua")
    script(server, asked, path)
    output, use = load.measured(
        ["wrk", "-t2", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "-s", path, f"http://127.0.0.1:{server.port}/"],
        server.pids, server.cluster.pid, seconds)
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+)", output)
    if not found or found[2] == "0":
        # Nothing was answered in time: a figure too.
        return {"rate": 0, "p50": seconds * 1e3, "p99": seconds * 1e3, "errors": 1, "server": 0, "database": 0, "foreign": use["foreign"]}
    duration, count, half, slow, errors = map(int, found.groups())
    return {"rate": count / duration * 1e6, "p50": half / 1e3, "p99": slow / 1e3, "errors": errors,
            "server": use["server"] / count * 1e3, "database": use["database"] / count * 1e3, "foreign": use["foreign"]}


def check(server, target, token):
    import http.client
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", target, headers={"Authorization": "Bearer " + token})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{target} answers {answer.status}: {body[:300]!r}")
    return len(body)


def plans(cluster, server, asked):
    """The plans of the statements that one request sends, as the database logs them; and the whole tables they read."""
    log = os.path.join(cluster.folder, "log")
    start = os.path.getsize(log)
    target, token = asked[len(asked) // 2]
    check(server, target, token)
    time.sleep(0.3)
    with open(log, errors="replace") as file:
        file.seek(start)
        text = file.read()
    found = []
    for block in re.split(r"\n(?=\d{4}-\d\d-\d\d )", text):
        if "plan:" not in block:
            continue
        steps = [line.strip() for line in block.splitlines() if re.search(r"(Scan|on) .*\(cost", line)]
        scans = [re.sub(r"\s*\(cost.*", "", step).lstrip("-> ").strip() for step in steps if "Scan" in step]
        took = re.search(r"duration: ([\d.]+) ms", block)
        found.append((float(took[1]), scans, block))
    whole = sorted({scan for _, scans, _ in found for scan in scans
                    if re.match(r"(Parallel )?Seq Scan on (%s)\b" % "|".join(LARGE), scan)})
    return found, whole


def page(options, results, facts):
    lines = ["# Performance of Projects", "",
             f"Written by `make bench-projects`: {facts['tasks']:,} tasks, {facts['flow']:,} rows of their history and "
             f"{facts['events']:,} of {facts['sprints']:,} sprints', in {facts['companies']} companies; "
             f"{options.connections} connections that ask again as soon as they are answered, {options.seconds} s each, "
             f"on {machine.CORES} cores that server, database and load share. {facts['postgres']}. {facts['build']}", "",
             "Milliseconds; processor milliseconds per request of the server and of the database beside them. Every connection "
             "waits for its turn: p50 is about connections × processor time ÷ cores.", "",
             "| request | p50 | p99 | aim | per second | server | database | bytes | errors |",
             "|---|---:|---:|---:|---:|---:|---:|---:|---:|"]
    for name, (path, aim) in ROUTES.items():
        if name not in results:
            continue
        one = results[name]
        lines.append(f"| {name} `{path}` | {one['p50']:.1f} | {one['p99']:.1f} | {aim} | {one['rate']:,.0f} | "
                     f"{one['server']:.2f} | {one['database']:.2f} | {one['bytes']:,} | {one['errors']} |")
    lines += ["", "## How they are read", "", "From the plans the database logged for one request each (auto_explain); none reads a whole "
              "table of " + ", ".join(f"`{table}`" for table in LARGE) + ".", ""]
    for name, one in results.items():
        scans = []
        for _, steps, _ in one["plans"]:
            scans += [step for step in steps if any(re.search(rf"\b{table}\b", step) for table in LARGE + ("sprints", "sprint_reports"))]
        lines.append(f"- {name}: " + ("; ".join(dict.fromkeys(f"{step}" for step in scans)) or "no large table") + ".")
    return "\n".join(lines) + "\n"


def run(options, cluster, folder):
    world.COMPANIES = options.companies
    say("making", options.companies, "companies")
    companies = world.load(cluster, folder)
    say("making", options.companies * options.projects * options.tasks, "tasks")
    with open(os.path.join(HERE, "world.sql")) as file:
        cluster.sql(f"\\set projects {options.projects}\n\\set tasks {options.tasks}\n" + file.read())
    say("analysing")
    cluster.sql("VACUUM (ANALYZE)")
    targets(cluster, companies)
    counted = {"tasks": "tasks", "flow": "task_flow", "events": "sprint_events", "sprints": "sprints"}
    facts = {name: int(cluster.sql(f"SELECT count(*) FROM {table}")) for name, table in counted.items()}
    facts |= {"companies": len(companies), "postgres": "PostgreSQL " + cluster.sql("SHOW server_version").split()[0],
              "build": "A debug build: the figures say nothing." if "debug" in os.environ.get("INFINITY_BINARY", "") else ""}
    # A parameter of a library is known where that is loaded.
    cluster.sql("LOAD 'auto_explain';\nALTER SYSTEM SET session_preload_libraries = 'auto_explain';\n"
                "ALTER SYSTEM SET auto_explain.log_min_duration = 0;\nSELECT pg_reload_conf()")
    server = servers.Infinity(cluster, folder)
    server.start()
    results, failures = {}, []
    try:
        for name, (path, aim) in ROUTES.items():
            asked = requests(companies, path)
            try:
                size = check(server, *asked[0])
            except RuntimeError as problem:
                failures.append(f"{name}: {problem}")
                say(name, "is left out:", problem)
                continue
            found, whole = plans(cluster, server, asked)
            results[name] = {"bytes": size, "plans": found}
            failures += [f"{name}: {scan}" for scan in whole]
            if options.plans:
                print(f"\n==== {name}\n" + "\n".join(block for _, _, block in found))
    finally:
        server.stop()
    cluster.sql("ALTER SYSTEM RESET ALL;\nSELECT pg_reload_conf()")
    server.start()
    try:
        for name, (path, aim) in ROUTES.items():
            if name not in results:
                continue
            asked = requests(companies, path)
            measure(server, asked, 1, options.connections, folder)  # warm
            machine.wait_for_quiet(0.15, 3)
            results[name] |= measure(server, asked, options.seconds, options.connections, folder)
            one = results[name]
            say(f"{name:28} p50 {one['p50']:7.1f}  p99 {one['p99']:7.1f} (aim {aim})  {one['rate']:8,.0f}/s  server "
                f"{one['server']:.2f}  database {one['database']:.2f} ms  errors {one['errors']}  others {one['foreign']:.0%}")
    finally:
        server.stop()
    return page(options, results, facts), failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--companies", type=int, default=200)
    parser.add_argument("--projects", type=int, default=5, help="of each company")
    parser.add_argument("--tasks", type=int, default=1000, help="of each project")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--only", default="", help="names of requests, with commas between them")
    parser.add_argument("--plans", action="store_true", help="print the plans")
    parser.add_argument("--print", action="store_true", help="print the page instead of writing it")
    options = parser.parse_args()
    for name in [name for name in ROUTES if options.only and name not in options.only.split(",")]:
        del ROUTES[name]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = tempfile.mkdtemp(prefix="infinity-bench-", dir="/tmp")
    os.chmod(folder, 0o755)
    cluster = database.Cluster()
    try:
        cluster.start()
        text, failures = run(options, cluster, folder)
        if options.print:
            print(text)
        else:
            with open(os.path.join(ROOT, "docs", "performance-projects.md"), "w") as file:
                file.write(text)
            say("wrote docs/performance-projects.md")
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)
    if failures:
        raise SystemExit("\n".join(failures))


if __name__ == "__main__":
    main()
