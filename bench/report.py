"""docs/performance.md from the measurements."""
import os
import platform
import statistics

import load
import machine

TITLES = {
    "health": ("Health check", "`GET /healthz`", "nginx"),
    "one": ("One row", "`GET /v1/teams/{id}` with a token", "pgbench"),
    "fifty": ("List of 50", "`GET /v1/teams?limit=50` with a token", "pgbench"),
    "hundred": ("List of 100", "`GET /v1/activity?limit=100` with a token", "pgbench"),
    "insert": ("Insert", "`POST /v1/teams` with a token", "pgbench"),
}
HEAD = """# Performance

Written by `make bench` (about six minutes, after a release build); run it to refresh this page on your machine.

Infinity is measured beside nginx (health check), PostgreSQL's own pgbench (the same statements, no HTTP at all) and two
servers one might pick instead, all over one PostgreSQL with Infinity's own schema and 200 companies of data.

## How to read it

- **Ratio** is the figure that carries over to another machine: the rate as a share of nginx's or pgbench's in the same run.
- The load ({client}) shares the cores with the server and the database, so who needs less
  processor time is faster; the time per 10,000 requests stands beside each rate, of the server and of the database.
- The requests go to {companies} companies, each with a token of its own and 50 teams, so no row and no token is hot.
- Rounds are interleaved (every server, then every server again); figures are medians; the spread is (highest − lowest) / median.
- wrk's percentiles are those of a closed loop: a slower server is also asked less often. pgbench's p50 is its mean.
- pgbench, FastAPI and Express filter by company but have no row-level security, write no audit row and no access log;
  they insert the bare row. Infinity does all of it in the measured run; "pgbench, recorded" is pgbench with the
  statements that Infinity sends for it: tenant, row, record of the act, event. No commit waits for the disk, for anybody.
- Memory is the proportional share (PSS) of all processes of a server.
"""


def number(value, form="{:,.0f}"):
    return "–" if value is None else form.format(value)


def median(rounds, key):
    values = [one[key] for one in rounds if one[key] is not None]
    return statistics.median(values) if values else None


def table(endpoint, results):
    title, request, anchor = TITLES[endpoint]
    base = median(results[anchor], "rate") if anchor in results else None
    lines = ["", f"### {title}: {request}", "",
             f"| server | requests/s | ratio to {anchor} | spread | p50 ms | p99 ms | server CPU s / 10,000 | database CPU s / 10,000 | errors |",
             "|---|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for name, rounds in sorted(results.items(), key=lambda item: -median(item[1], "rate")):
        rates = [one["rate"] for one in rounds]
        rate = statistics.median(rates)
        lines.append(f"| {name} | {number(rate)} | {number(rate / base if base else None, '{:.2f}')} "
                     f"| {(max(rates) - min(rates)) / rate:.0%} | {number(median(rounds, 'p50'), '{:.2f}')} "
                     f"| {number(median(rounds, 'p99'), '{:.2f}')} | {number(median(rounds, 'server_cpu'), '{:.2f}')} "
                     f"| {number(median(rounds, 'database_cpu') if endpoint != 'health' else None, '{:.2f}')} "
                     f"| {sum(one['errors'] for one in rounds)} |")
    return lines


def page(run):
    client = f"wrk, 2 threads, {load.CONNECTIONS} keep-alive connections, no pipelining"
    lines = HEAD.format(client=client, companies=run["companies"]).rstrip().splitlines()
    lines += ["", "## This run", "",
              f"{run['date']}, {machine.CORES} cores ({processor()}), Linux {platform.release().split('-')[0]}, {run['postgres']}; "
              f"{run['rounds']} rounds of {run['seconds']} s. Other processes took at most {run['foreign']:.0%} of the machine "
              f"during a slot, {run['foreign_median']:.0%} in the median.", ""]
    lines += [f"- **{name}**: {note}" for name, note in run["notes"].items()]
    lines += [f"- {name} was left out: {reason}" for name, reason in run["left_out"].items()]
    for endpoint in TITLES:
        if run["results"].get(endpoint):
            lines += table(endpoint, run["results"][endpoint])
    lines += ["", "### Start and memory", "",
              f"| server | start to first 200, ms | fresh, MiB | after load, MiB | per idle connection, KiB | alive of {run['idle']} |",
              "|---|--:|--:|--:|--:|--:|"]
    for name, facts in run["footprint"].items():
        idle = facts.get("idle") or {}
        lines.append(f"| {name} | {number(facts.get('start'))} | {number(facts.get('fresh'), '{:.1f}')} "
                     f"| {number(facts.get('loaded'), '{:.1f}')} | {number(idle.get('kib'), '{:.1f}')} | {number(idle.get('alive'))} |")
    return "\n".join(lines) + "\n"


def processor():
    with open("/proc/cpuinfo") as file:
        names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return names[0] if names else platform.machine()
