"""One slot of load: wrk against a server, or pgbench against the database, with who used the processors meanwhile."""
import os
import random
import re
import resource
import socket
import subprocess
import time

import machine

HERE = os.path.dirname(os.path.abspath(__file__))
CONNECTIONS = 64
METHODS = {"health": "GET", "one": "GET", "fifty": "GET", "hundred": "GET", "insert": "POST"}
STATUS = {"insert": 201}
# The statement behind each request, and its parameters as pgbench expressions.
STATEMENTS = {
    "one": [("team_get", ["company", "team"])],
    "fifty": [("team_list", ["company", "51"])],
    "hundred": [("activity_list", ["company", "101"])],
    "insert": [("team_create", ["company", "new id", "new name", "text", "color"])],
    # What Infinity writes besides: the tenant for row-level security, the record of the act, the event.
    "recorded": [("tenant", ["company", "user"]), ("team_create", ["company", "new id", "new name", "text", "color"]),
                 ("team_record", ["company", "act", "user"]), ("team_event", ["company", "act", "user"])],
}


def requests(server, endpoint, companies):
    """Every (path, headers) of an endpoint, shuffled the same way for all servers."""
    if endpoint == "health":
        return [(server.health_path, {})]
    found = []
    for company in companies:
        headers = {"Authorization": "Bearer " + server.token(company)}
        paths = {"one": [f"/v1/teams/{team}" for team in company["teams"]], "fifty": ["/v1/teams?limit=50"],
                 "hundred": ["/v1/activity?limit=100"], "insert": ["/v1/teams"]}[endpoint]
        found += [(path, headers) for path in paths]
    random.Random(7).shuffle(found)
    return found[:1000]


def script(server, endpoint, companies, path):
    """Writes wrk's script: whole requests made beforehand; a new team's name is spliced in by each request."""
    body = '{"name":"%s","description":"Made under load","color":"#10b981"}'
    name_length = 24
    rows = []
    for target, headers in requests(server, endpoint, companies):
        lines = [f"{METHODS[endpoint]} {target} HTTP/1.1", f"Host: 127.0.0.1:{server.port}"]
        lines += [f"{key}: {value}" for key, value in headers.items()]
        if endpoint == "insert":
            lines += ["Content-Type: application/json", f"Content-Length: {len(body) - 2 + name_length}"]
        rows.append("[==[" + "\r\n".join(lines) + "\r\n\r\n]==]")
    # A long bracket swallows only a first line end, and Lua reads \\r\\n in it as one: so they are put back here.
    text = "local heads = {\n" + ",\n".join(rows).replace("\r\n", "\n") + "\n}\n"
    text += "for i, head in ipairs(heads) do heads[i] = head:gsub('\\n', '\\r\\n') end\n"
    text += "local next, run, made = 0, '', 0\n"
    text += "local count = 0\nfunction setup(thread) thread:set('first', count * 37); thread:set('number', count); count = count + 1 end\n"
    # The name differs by run, thread and number, so that no two collide in any company.
    text += f"function init(args) next = first; run = string.format('%s-%d', '{os.urandom(4).hex()}', number) end\n"
    if endpoint == "insert":
        before, after = body.split("%s")
        text += ("function request() next = next % #heads + 1; made = made + 1\n"
                 f"return heads[next] .. '{before}' .. string.format('%s %0{name_length - 11}d', run, made) .. '{after}' end\n")
    else:
        text += "function request() next = next % #heads + 1; return heads[next] end\n"
    text += """
function done(summary, latency)
    local e = summary.errors
    io.write(string.format('\\nRESULT %d %d %d %d %d\\n', summary.duration, summary.requests,
        latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
"""
    with open(path, "w") as file:
        file.write(text)


def measured(command, server_pids, database_pid, seconds):
    """Runs a load generator; returns its output and the processor seconds of each party."""
    table = machine.processes()
    before = {"server": machine.cpu_of(server_pids(table), table), "database": machine.cpu_of(machine.tree_of(database_pid, table), table)}
    busy, children, own, start = machine.busy_seconds(), resource.getrusage(resource.RUSAGE_CHILDREN), sum(os.times()[:2]), time.monotonic()
    output = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            timeout=seconds + 30).stdout
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    busy, own = machine.busy_seconds() - busy, sum(os.times()[:2]) - own
    time.sleep(0.1)  # pgbench's database processes are counted once their parent has reaped them
    table = machine.processes()
    use = {"server": machine.cpu_of(server_pids(table), table) - before["server"],
           "database": machine.cpu_of(machine.tree_of(database_pid, table), table) - before["database"],
           "client": after.ru_utime + after.ru_stime - children.ru_utime - children.ru_stime}
    use["foreign"] = max(0.0, busy - own - sum(use.values())) / wall / machine.CORES
    return output, use


def wrk(server, endpoint, companies, seconds, folder):
    path = os.path.join(folder, "requests.lua")
    script(server, endpoint, companies, path)
    output, use = measured(["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", "-s", path,
                            f"http://127.0.0.1:{server.port}/"], server.pids, server.cluster.pid, seconds)
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+)", output)
    if not found or found[2] == "0":
        raise RuntimeError(f"wrk against {server.name}, {endpoint}: {output[-800:]}")
    duration, count, half, slow, errors = map(int, found.groups())
    return {"rate": count / duration * 1e6, "p50": half / 1e3, "p99": slow / 1e3, "errors": errors,
            "server_cpu": use["server"] / count * 1e4, "database_cpu": use["database"] / count * 1e4, "foreign": use["foreign"]}


def pgbench(cluster, endpoint, companies, seconds, folder):
    """The same statement, prepared, from eight clients: the database without any server in front of it."""
    command = [f"{cluster.bin}/pgbench", "-n", "-M", "prepared", "-c", "8", "-j", "2", "-T", str(seconds)]
    isMany = len(STATEMENTS[endpoint]) > 1
    for number, (company, team) in enumerate(random.Random(7).sample([(c, t) for c in companies for t in c["teams"]], 48)):
        lines = ["\\set r random(1, 1000000000000000)"] + ["\\startpipeline"] * isMany
        for name, parameters in STATEMENTS[endpoint]:
            values = {"company": f"'{company['id']}'::uuid", "team": f"'{team}'::uuid", "user": f"'{company['user']}'::uuid",
                      "new id": "gen_random_uuid()", "act": "md5(:r::text)::uuid",
                      "new name": "'Team ' || :r::bigint", "text": "'Made under load'", "color": "'#10b981'"}
            with open(os.path.join(HERE, "sql", name + ".sql")) as file:
                statement = " ".join(file.read().split())
            for index, parameter in reversed(list(enumerate(parameters, 1))):
                statement = statement.replace(f"${index}", values.get(parameter, parameter))
            lines.append(statement + ";")
        lines += ["\\endpipeline"] * isMany
        path = os.path.join(folder, f"{number}.pgbench")
        with open(path, "w") as file:
            file.write("\n".join(lines) + "\n")
        command += ["-f", path]
    output, use = measured([*command, cluster.url], lambda table: [], cluster.pid, seconds)
    rate, latency = re.search(r"tps = ([\d.]+) \(without", output), re.search(r"latency average = ([\d.]+)", output)
    if not rate:
        raise RuntimeError("pgbench: " + output[-800:])
    return {"rate": float(rate[1]), "p50": float(latency[1]), "p99": None, "errors": 0, "server_cpu": None,
            "database_cpu": use["database"] / (float(rate[1]) * seconds) * 1e4, "foreign": use["foreign"]}


def idle(server, count):
    """Opens keep-alive connections that ask once and fall silent; returns what each costs in KiB, and how many live."""
    request = f"GET {server.health_path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    before, connections, alive = machine.memory_of(server.pids()), [], 0
    try:
        while len(connections) < count:
            batch = []
            for _ in range(min(100, count - len(connections))):
                connection = socket.create_connection(("127.0.0.1", server.port), 5)
                connection.settimeout(5)
                connection.sendall(request)
                batch.append(connection)
            for connection in batch:
                connection.recv(4096)
            connections += batch
        time.sleep(1)
        after = machine.memory_of(server.pids())
        for connection in connections:
            try:
                connection.sendall(request)
                alive += connection.recv(4096).startswith(b"HTTP/1.1 200")
            except OSError:
                pass
    finally:
        for connection in connections:
            connection.close()
    return {"kib": (after - before) * 1024 / count, "alive": alive}
