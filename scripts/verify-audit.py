#!/usr/bin/env python3
"""Checks an export of the audit record (GET /v1/audit-events.ndjson) without Infinity.

    verify-audit.py audit.ndjson [--known SEQ:HASH]

Each line is {"seq":N,"prev_hash":"…","hash":"…","event":{…}}. The hash is sha-256 over the 32 bytes of prev_hash
followed by the bytes of `event` as they stand in the line; prev_hash is the hash of the seal before, 32 zero bytes
for the first. A filtered export has gaps: each line is still checked by itself.
"""
import argparse
import hashlib
import json
import re
import sys

LINE = re.compile(rb'\{"seq":(\d+),"prev_hash":"([0-9a-f]{64})","hash":"([0-9a-f]{64})","event":(\{.*\})\}\n?')


def main() -> int:
    parser = argparse.ArgumentParser(description="Check an exported audit record.")
    parser.add_argument("file", help="the export, or - for standard input")
    parser.add_argument("--known", metavar="SEQ:HASH", help="a seal noted earlier that must be in the export")
    options = parser.parse_args()
    known = None
    if options.known:
        seq, _, digest = options.known.partition(":")
        known = (int(seq), digest)

    count = gaps = 0
    last, previous, company = None, "00" * 32, None
    lines = sys.stdin.buffer if options.file == "-" else open(options.file, "rb")
    for number, line in enumerate(lines, 1):
        match = LINE.fullmatch(line)
        if not match:
            return bad(number, "is not a line of an export")
        seq, before, digest, event = int(match[1]), match[2].decode(), match[3].decode(), match[4]
        if hashlib.sha256(bytes.fromhex(before) + event).hexdigest() != digest:
            return bad(number, f"the event of seal {seq} is not what was sealed")
        if last is not None and seq <= last:
            return bad(number, f"seal {seq} stands after seal {last}")
        if seq == (last or 0) + 1:
            if before != previous:
                return bad(number, f"seal {seq} does not continue the seal before it")
        else:
            gaps += 1
        company = company or json.loads(event)["company_id"]
        if json.loads(event)["company_id"] != company:
            return bad(number, f"seal {seq} is of another company")
        if known and known[0] == seq and known[1] != digest:
            return bad(number, f"seal {seq} has another hash than the known one")
        last, previous, count = seq, digest, count + 1
    if known and (last is None or last < known[0]):
        return bad(count, f"the export ends before the known seal {known[0]}")
    print(f"{count} events are as they were sealed" + (f", with {gaps} gaps (filtered, or cut by retention)" if gaps else ""))
    if last is not None:
        print(f"the newest is seal {last}:{previous}")
    return 0


def bad(line: int, sentence: str) -> int:
    print(f"line {line}: {sentence}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
