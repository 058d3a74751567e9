#!/usr/bin/env python3
"""Writes docs/database.md from Migrations/: every table with what it is for, its columns and its rules.

    scripts/database-page.py            writes the page
    scripts/database-page.py --check    exit code 1 when the page is stale
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/database.md"

TOP = """# The database, table by table

Written from Migrations/ by `make docs`; do not edit. Tables of a company (marked *tenant*) have `company_id` first in
their primary key, row-level security forced on them, and foreign keys that cannot leave the company. The others
belong to the installation: people, sessions, queues.
"""


def statements(text):
    """(comment before it, statement) for each statement, semicolons inside $$ or quotes left alone."""
    comment, current, quote = [], [], None
    for line in text.splitlines():
        stripped = line.strip()
        if not current and (stripped.startswith("--") or not stripped):
            if stripped.startswith("--"):
                comment.append(stripped[2:].strip())
            elif comment and comment[-1]:
                comment.append("")
            continue
        current.append(line)
        code = re.sub(r"--.*", "", line)
        if code.count("$$") % 2:
            quote = None if quote else "$$"
        if quote is None and code.rstrip().endswith(";"):
            yield comment, "\n".join(current)
            comment, current = [], []


def last_paragraph(comment):
    paragraphs = " ".join(word or "\n" for word in comment).split("\n")
    return next((p.strip() for p in reversed(paragraphs) if p.strip()), "")


def parts(body):
    """The columns and constraints between the outer brackets, each with the comment above it."""
    notes, current, depth, quoted = [], "", 0, False
    for line in body.splitlines():
        stripped = line.strip()
        if stripped.startswith("--") and not current.strip():
            notes.append(stripped[2:].strip())
            continue
        code = re.sub(r"--.*", "", line)
        for character in code:
            quoted ^= character == "'"
            if not quoted:
                depth += (character == "(") - (character == ")")
            if character == "," and depth == 0 and not quoted:
                yield " ".join(notes), " ".join(current.split())
                notes, current = [], ""
            else:
                current += character
        current += " "
    if current.strip():
        yield " ".join(notes), " ".join(current.split())


class Table:
    def __init__(self, name, about):
        self.name, self.about = name, about
        self.columns, self.constraints, self.indexes, self.isTenant = [], [], [], False

    def add(self, note, text):
        if text.upper().startswith("CONSTRAINT"):
            name, rule = re.match(r"CONSTRAINT (\w+) (.*)", text, re.I).groups()
            self.constraints.append((name, rule, note))
            if rule.upper().startswith("PRIMARY KEY (COMPANY_ID"):
                self.isTenant = True
            return
        name, rest = text.split(" ", 1)
        default = re.search(r"DEFAULT (.+?)(?: NOT NULL| GENERATED|$)", rest)
        kind = re.split(r" NOT NULL| NULL| DEFAULT| GENERATED| REFERENCES| CONSTRAINT| PRIMARY", rest)[0]
        nullable = "NOT NULL" not in rest and "GENERATED" not in rest
        self.columns.append((name, kind.strip(), nullable, default and default[1], note))

    def page(self):
        kind = "*tenant*" if self.isTenant else "*installation*"
        out = [f"## {self.name}", "", f"{kind}" + (f" · {self.about}" if self.about else ""), ""]
        out += ["| column | type | may be null | default | |", "|---|---|---|---|---|"]
        for name, kind, nullable, default, note in self.columns:
            shown = f"`{default}`" if default else ""
            out.append(f"| `{name}` | {kind} | {'yes' if nullable else ''} | {shown} | {note} |".replace("  ", " "))
        if self.constraints or self.indexes:
            out.append("")
        for name, rule, note in self.constraints:
            out.append(f"- `{name}`: `{rule}`" + (f". {note}" if note else ""))
        for index in self.indexes:
            out.append(f"- {index}")
        return "\n".join(out)


def read():
    tables = {}
    for path in sorted((ROOT / "Migrations").glob("*.sql")):
        for comment, statement in statements(path.read_text()):
            flat = " ".join(re.sub(r"--.*", "", statement).split()).rstrip(";").strip()
            create = re.match(r"CREATE (?:UNLOGGED )?TABLE (\w+) ?\(", flat)
            if create:
                table = tables[create[1]] = Table(create[1], last_paragraph(comment))
                body = statement[statement.index("(") + 1:statement.rindex(")")]
                for note, text in parts(body):
                    table.add(note, text)
            for name, what in re.findall(r"^ALTER TABLE (\w+) (.*)", flat):
                for change in re.split(r", (?=ADD |DROP |ALTER )", what):
                    if added := re.match(r"ADD (?:COLUMN )?((?:CONSTRAINT )?\w+ .*)", change):
                        tables[name].add("", added[1])
                    elif dropped := re.match(r"DROP (COLUMN|CONSTRAINT) (\w+)", change):
                        kept = "columns" if dropped[1] == "COLUMN" else "constraints"
                        setattr(tables[name], kept, [x for x in getattr(tables[name], kept) if x[0] != dropped[2]])
                    elif "DROP NOT NULL" in change and (column := re.match(r"ALTER (?:COLUMN )?(\w+)", change)):
                        tables[name].columns = [
                            (c[0], c[1], True, *c[3:]) if c[0] == column[1] else c for c in tables[name].columns]
            if index := re.match(r"CREATE (UNIQUE )?INDEX (\w+) ON (\w+) (.*)", flat):
                tables[index[3]].indexes.append(f"{'unique ' if index[1] else ''}index `{index[2]}`: `{index[4]}`")
    return tables


def main():
    text = TOP + "\n" + "\n\n".join(table.page() for _, table in sorted(read().items())) + "\n"
    if "--check" in sys.argv:
        if not PAGE.exists() or PAGE.read_text() != text:
            sys.exit("docs/database.md is stale; write it anew with: make docs")
        return
    PAGE.write_text(text)


main()
