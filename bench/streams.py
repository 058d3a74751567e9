"""How many open streams cost what: memory and processor time of one server, and how late a notification comes.

    python3 bench/streams.py [--streams 2000] [--seconds 10] [--binary .build/release/infinity]

Starts a server with a database of its own, opens the streams with tickets (one person each), tells each person
something `--rate` times a second through the database as a domain would, and prints a line of JSON. Raw sockets and
epoll, so that the client takes little of the machine.
"""
import argparse
import hashlib
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Tests", "Clients"))
from instance import Instance  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")


def memory_of(pid):
    """Bytes of its own memory, the file-backed pages of the program left out."""
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("RssAnon:"))


def cpu_of(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Database:
    """psql over the server's own socket, as the superuser, so that the load needs no second client."""

    def __init__(self, data):
        self.folder = os.path.join(data, "run")

    def command(self):
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "psql", "-h", self.folder, "-U", "postgres",
                "-d", "infinity", "-qAtX", "-v", "ON_ERROR_STOP=1"]

    def run(self, text):
        done = subprocess.run(self.command(), input=text, text=True, capture_output=True, cwd="/")
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def connect(port):
    client = socket.create_connection(("127.0.0.1", port))
    client.setblocking(False)
    return client


def prepare(database, count, company):
    """One company with so many people, and a ticket for each."""
    users = [str(uuid.uuid4()) for _ in range(count)]
    tickets = [uuid.uuid4().hex for _ in range(count)]
    rows = ",".join(f"('{user}','p{n}@s.example','p{n}@s.example','P {n}')" for n, user in enumerate(users))
    members = ",".join(f"('{company}','{uuid.uuid4()}','{user}')" for user in users)
    passes = ",".join(f"('\\x{hashlib.sha256(ticket.encode()).hexdigest()}','{company}','{user}',now() + interval '1 hour')"
                      for user, ticket in zip(users, tickets))
    database.run(f"""
        INSERT INTO companies (id, slug, name) VALUES ('{company}', 'streams', 'Streams');
        INSERT INTO users (id, email, email_norm, name) VALUES {rows};
        INSERT INTO memberships (company_id, id, user_id) VALUES {members};
        INSERT INTO notification_stream_tickets VALUES {passes};""")
    return users, tickets


def tell(company, users):
    """What the program writes for one event that tells these people, in one transaction."""
    event = uuid.uuid4()
    people = ",".join(f"'{user}'" for user in users)
    return f"""BEGIN;
        INSERT INTO notification_events (company_id, id, type, category, actor_kind) VALUES ('{company}', '{event}', 'bench', 'bench', 'system');
        WITH counted AS (
            INSERT INTO notification_counters AS c (company_id, user_id, last_seq)
            SELECT '{company}', u, 1 FROM unnest(ARRAY[{people}]::uuid[]) u ORDER BY u
            ON CONFLICT (company_id, user_id) DO UPDATE SET last_seq = c.last_seq + 1, xid = pg_current_xact_id()
            RETURNING user_id, last_seq)
        INSERT INTO notifications (company_id, id, user_id, event_id, seq, type, category, severity, title, body)
        SELECT '{company}', gen_random_uuid(), user_id, '{event}', last_seq, 'bench', 'bench', 'normal', 'A title of some length',
               'A body that says what has happened, in a sentence.' FROM counted;
        SELECT count(pg_notify('notifications', concat_ws('|', company_id, user_id, seq, json_build_object('notification',
            json_build_object('id', id, 'seq', seq, 'type', type, 'title', title, 'body', body,
                              'sent', extract(epoch FROM clock_timestamp())), 'counts', json_build_object('unread', 1))::text)))
          FROM notifications WHERE event_id = '{event}' AND company_id = '{company}';
        COMMIT;
        """


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--streams", type=int, default=2000)
    options.add_argument("--seconds", type=int, default=10)
    options.add_argument("--batch", type=int, default=50, help="people told by one event")
    options.add_argument("--binary", default=os.environ.get("INFINITY_BINARY"))
    options = options.parse_args()
    if options.binary:
        import instance as module
        module.BINARY = os.path.abspath(options.binary)
    server = Instance(INFINITY_ACCESS_LOG="off")
    try:
        server.start()
        measure(server, options)
    finally:
        server.remove()


def measure(server, options):
    database, company, pid = Database(server.data), str(uuid.uuid4()), server.process.pid
    users, tickets = prepare(database, options.streams, company)
    # The same number of connections that have asked once and are kept, for comparison.
    quiet = memory_of(pid)
    idle = [connect(server.http_port) for _ in users]
    for client in idle:
        client.send(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    time.sleep(2)
    kept = memory_of(pid)
    for client in idle:
        client.close()
    time.sleep(1)

    before = memory_of(pid)
    poll = select.epoll()
    streams, buffers = {}, {}
    ready, waiting, end = set(), list(tickets), time.monotonic() + 120
    # As people come: some at a time. Two thousand in one moment would measure requests in flight.
    while len(ready) < len(tickets) and time.monotonic() < end:
        while waiting and len(streams) - len(ready) < 50:
            client = connect(server.http_port)
            client.send(f"GET /v1/public/notification-stream?ticket={waiting.pop()} HTTP/1.1\r\nHost: x\r\n"
                        "Accept: text/event-stream\r\n\r\n".encode())
            streams[client.fileno()], buffers[client.fileno()] = client, b""
            poll.register(client.fileno(), select.EPOLLIN)
        for number, _ in poll.poll(1):
            buffers[number] += streams[number].recv(65536)
            if b"event: ready" in buffers[number]:
                ready.add(number)
                buffers[number] = b""
    silent = [buffers[number] for number in streams if number not in ready]
    assert not silent, f"{len(silent)} of {len(streams)} streams did not begin, one with {silent[0]!r}\n{server.log()[-2000:]}"
    time.sleep(3)
    after = memory_of(pid)

    psql = subprocess.Popen(database.command(), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, cwd="/")
    begun, cpu = time.monotonic(), cpu_of(pid)
    own = time.process_time()
    batches = [users[at:at + options.batch] for at in range(0, len(users), options.batch)]
    pause = 1 / len(batches)
    sent, heard, late, due, at = 0, 0, [], begun, 0
    stop = begun + options.seconds
    expected = options.seconds * len(users)
    while heard < expected and time.monotonic() < stop + 10:
        now = time.monotonic()
        if now >= due and sent < expected:
            psql.stdin.write(tell(company, batches[at % len(batches)]))
            psql.stdin.flush()
            sent += len(batches[at % len(batches)])
            at += 1
            due += pause
        for number, _ in poll.poll(max(0.0, min(due - time.monotonic(), 0.05)) if sent < expected else 0.05):
            arrived = time.time()
            # An event may come in two pieces.
            *events, buffers[number] = (buffers[number] + streams[number].recv(65536)).split(b"\n\n")
            for event in events:
                heard += b"event: notification" in event
                # What was looked up in the table instead does not say when it was sent.
                if b'"sent" : ' in event:
                    late.append(arrived - float(event.split(b'"sent" : ')[1].split(b"}")[0]))
    took, spent = time.monotonic() - begun, cpu_of(pid) - cpu
    psql.stdin.close()
    psql.wait()
    print(json.dumps({
        "streams": len(streams), "told": sent, "heard": heard,
        "kib_a_stream": round((after - before) / len(streams) / 1024, 2),
        "kib_an_idle_connection": round((kept - quiet) / len(streams) / 1024, 2),
        "server_cpu_cores": round(spent / took, 3), "client_cpu_cores": round((time.process_time() - own) / took, 3),
        "p50_ms": round(percentile(late, .5) * 1000, 2), "p99_ms": round(percentile(late, .99) * 1000, 2),
    }))


if __name__ == "__main__":
    main()
