"""One side of the measurement: procrastinate or pgqueuer with jobs that do nothing. See run.py.

    peer.py NAME setup | enqueue N BATCH | work | latency N
"""
import asyncio
import json
import os
import sys
import time

URL = os.environ["URL"]


class Tally:
    def __init__(self):
        self.count, self.first, self.last, self.taken = 0, None, None, []

    def seen(self, at=0):
        now = time.monotonic()
        self.first = self.first or now
        self.last, self.count = now, self.count + 1
        if at:
            self.taken.append((now - at) * 1e3)

    def report(self):
        took = (self.last - self.first) if self.count else 0
        print(self.count, took, time.process_time())

    def report_latency(self):
        taken = sorted(self.taken)
        print(taken[len(taken) // 2], taken[len(taken) * 99 // 100])


async def procrastinate(command, *arguments):
    import procrastinate as library

    app = library.App(connector=library.PsycopgConnector(conninfo=URL))
    tally = Tally()

    @app.task(queue="bench", name="nothing")
    async def nothing(i, at=0.0):
        tally.seen(at)

    async with app.open_async():
        if command == "setup":
            return await app.schema_manager.apply_schema_async()
        if command == "enqueue":
            count, batch = map(int, arguments)
            begun = time.monotonic()
            for first in range(0, count, batch):
                if batch == 1:
                    await nothing.defer_async(i=first)
                else:
                    await nothing.batch_defer_async(*[{"i": i} for i in range(first, min(first + batch, count))])
            return print(time.monotonic() - begun)
        if command == "work":
            await app.run_worker_async(queues=["bench"], concurrency=20, wait=False, install_signal_handlers=False)
            return tally.report()
        worker = asyncio.create_task(app.run_worker_async(queues=["bench"], concurrency=20, install_signal_handlers=False))
        await asyncio.sleep(1)
        for i in range(int(arguments[0])):
            await asyncio.sleep(0.02)
            await nothing.defer_async(i=i, at=time.monotonic())
        while tally.count < int(arguments[0]):
            await asyncio.sleep(0.01)
        worker.cancel()
        tally.report_latency()


async def pgqueuer(command, *arguments):
    import asyncpg
    from pgqueuer import PgQueuer
    from pgqueuer.db import AsyncpgDriver
    from pgqueuer.models import Job
    from pgqueuer.queries import Queries
    from pgqueuer.types import QueueExecutionMode

    connection = await asyncpg.connect(URL)
    driver = AsyncpgDriver(connection)
    queries, tally = Queries(driver), Tally()
    if command == "setup":
        return await queries.install()
    if command == "enqueue":
        count, batch = map(int, arguments)
        begun = time.monotonic()
        for first in range(0, count, batch):
            size = min(batch, count - first)
            payloads = [json.dumps({"i": i}).encode() for i in range(first, first + size)]
            await queries.enqueue(["nothing"] * size, payloads, [0] * size)
        return print(time.monotonic() - begun)
    pgq = PgQueuer(driver)

    @pgq.entrypoint("nothing")
    async def nothing(job: Job):
        tally.seen(json.loads(job.payload).get("at", 0))

    if command == "work":
        await pgq.run(batch_size=100, mode=QueueExecutionMode.drain)
        return tally.report()
    other = Queries(AsyncpgDriver(await asyncpg.connect(URL)))
    worker = asyncio.create_task(pgq.run(batch_size=10))
    await asyncio.sleep(1)
    for i in range(int(arguments[0])):
        await asyncio.sleep(0.02)
        await other.enqueue("nothing", json.dumps({"i": i, "at": time.monotonic()}).encode(), 0)
    while tally.count < int(arguments[0]):
        await asyncio.sleep(0.01)
    worker.cancel()
    tally.report_latency()


asyncio.run({"procrastinate": procrastinate, "pgqueuer": pgqueuer}[sys.argv[1]](*sys.argv[2:]))
