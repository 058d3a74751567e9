#!/usr/bin/env python3
"""Writes Tests/CoreTests/cron-table.csv: what croniter makes of cron expressions, for the tests to compare with.

    pip install croniter==7.0.0 && scripts/cron-table.py

Expressions whose hour is fixed are left out where a clock changes: there croniter and this project differ by intent, and
the tests state what is wanted.
"""
import datetime
import pathlib
import random
import zoneinfo

import croniter

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXPRESSIONS = [
    "* * * * *", "*/5 * * * *", "7 * * * *", "0 0 * * *", "30 2 * * *", "15,45 */3 * * *", "0 9-17 * * 1-5",
    "0 12 1 * *", "0 0 31 * *", "0 0 29 2 *", "0 8 * * mon", "0 8 * jan,jul *", "5 4 * * 0", "5 4 * * 7",
    "0 0 1,15 * 3", "0 0 13 * fri", "*/7 */5 * * *", "10-20/3 1 * * *", "0 22 * * 1-5", "59 23 31 12 *",
    "0 0 28-31 * *", "1-59/2 * * * *", "0 6 */2 * *", "30 18 * 2-4 tue,thu",
]
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Sao_Paulo"]


def main():
    rng = random.Random(20261124)
    lines = []
    for expression in EXPRESSIONS:
        for zone in ZONES:
            for _ in range(4):
                start = datetime.datetime.fromtimestamp(rng.randrange(1_700_000_000, 1_900_000_000), zoneinfo.ZoneInfo(zone))
                times = croniter.croniter(expression, start)
                at = start
                found = []
                for _ in range(3):
                    at = times.get_next(datetime.datetime)
                    found.append(at)
                days = [start] + found
                # Changes of the clock between the days or near them belong to the tests.
                near = [day + datetime.timedelta(hours=h) for day in days for h in (-30, 0, 30)]
                offsets = {moment.astimezone(zoneinfo.ZoneInfo(zone)).utcoffset() for moment in near}
                if len(offsets) > 1:
                    continue
                stamps = ",".join(str(int(moment.timestamp())) for moment in found)
                lines.append(f"{expression};{zone};{int(start.timestamp())};{stamps}")
    (ROOT / "Tests/CoreTests/cron-table.csv").write_text("\n".join(lines) + "\n")


main()
