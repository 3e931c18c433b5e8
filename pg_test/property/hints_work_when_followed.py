#!/usr/bin/env python3
"""If there are several relationships, the hint names each of them, and each works when it is followed.

Random schemas have tables that refer to each other and to themselves, with keys of one column or several, tables between them, and views
over all of these. The test embeds every relation in every other, by every name there is. An answer is 200, or says that there is no
relationship, or is 300. In a 300, all suggestions differ, each of them is answered with 200, and there is one for each relationship in
the details. One relationship in a hundred may have no suggestion, because its names are also those of others.

Needs psql and a connection in the PG* variables (a superuser, the extension in the database):

    hints_work_when_followed.py [--seed N] [--schemas M]

Everything is made in the schema hints, which is dropped before and after. Exits with 1 if a hint does not work.
"""
import argparse
import collections
import json
import random
import re
import sys
from urllib.parse import quote as encode

from _sql import run

NAMES = ["people", "works", "inner", "left", "odd name", "dot.ted", "Caps", "q\"uote", "a!b"]
COLUMNS = ["id", "n", "x", "y", "works", "parent", "odd col", "inner"]


def name(text):
    return '"' + text.replace('"', '""') + '"'


def word(text):
    """A name as the grammar of requests spells it."""
    return text if re.fullmatch(r"[A-Za-z0-9_]+", text) else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def literal(text):
    return "'" + text.replace("'", "''") + "'"


class Schema:
    def __init__(self, rng):
        self.rng = rng
        self.script = ["drop schema if exists hints cascade; create schema hints;"]
        self.columns = {}
        self.constraints = set()
        self.tables = rng.sample(NAMES, rng.randrange(2, 5))
        for table in self.tables:
            self.table(table)
        for number in range(rng.randrange(3, 9)):
            self.key(rng.choice(self.tables), rng.choice(self.tables), number)
        for number in range(rng.randrange(3)):
            self.junction(f"between{number}")
        for number in range(rng.randrange(1, 4)):
            self.view(f"view{number}")

    def table(self, table):
        columns = self.rng.sample(COLUMNS, self.rng.randrange(3, 6))
        self.columns[table] = columns
        self.script.append(f"create table hints.{name(table)} ({', '.join(f'{name(c)} int not null' for c in columns)}, "
                           f"primary key ({name(columns[0])}), unique ({name(columns[0])}, {name(columns[1])}));")

    def constraint(self, number):
        # Constraints of several tables may have the same name.
        text = self.rng.choice(["fk", "works", f"fk{number}", f"odd.fk{number}", "inner"])
        self.constraints.add(text)
        return text

    def key(self, table, target, number):
        width = 1 if self.rng.random() < 0.75 else 2
        columns = self.rng.sample(self.columns[table], width)
        self.add(table, columns, target, self.columns[target][:width], number)
        if width == 1 and self.rng.random() < 0.2:
            self.script.append(f"alter table hints.{name(table)} add unique ({name(columns[0])});")

    def add(self, table, columns, target, referenced, number):
        names = lambda all: ", ".join(map(name, all))
        self.script.append(
            f"do $do$ begin alter table hints.{name(table)} add constraint {name(self.constraint(number))} foreign key ({names(columns)}) "
            f"references hints.{name(target)} ({names(referenced)}); exception when duplicate_object then null; end $do$;")

    def junction(self, table):
        rng = self.rng
        targets = [rng.choice(self.tables) for _ in range(rng.choice([2, 2, 3]))]
        columns = [f"{'abc'[i]}" if rng.random() < 0.5 else f"of_{i}" for i in range(len(targets))]
        self.columns[table] = columns
        self.script.append(f"create table hints.{table} ({', '.join(f'{c} int' for c in columns)}, primary key ({', '.join(columns)}));")
        for number, (column, target) in enumerate(zip(columns, targets)):
            self.add(table, [column], target, [self.columns[target][0]], f"{table}{number}")

    def view(self, view):
        rng = self.rng
        table = rng.choice(list(self.columns))
        shown = {}
        for column in self.columns[table]:
            for _ in range(rng.choice([0, 1, 1, 1, 2])):
                label = column if column not in shown and rng.random() < 0.6 else f"{column[:3]}{len(shown)}"
                shown[label] = column
        if shown:
            self.columns[view] = list(shown)
            listed = ", ".join(f"{name(column)} as {name(label)}" for label, column in shown.items())
            self.script.append(f"create view hints.{view} as select {listed} from hints.{name(table)};")

    def requests(self):
        for origin in self.columns:
            for other in sorted(set(self.columns) | self.constraints | set(self.columns[origin])):
                yield origin, word(other)


def answers(script, targets):
    """Status and body of the answer to each target."""
    asked = [f"select json_build_array(r.status, convert_from(r.body, 'UTF8')) from restful.serve('GET', {literal(t)}, '{{}}', null) r;"
             for t in targets]
    printed = run("set restful.schemas = 'hints';", *script, *asked)
    return [json.loads(line) for line in printed.splitlines()]


def target(origin, embedded):
    return f"/{encode(origin)}?select={encode(f'*,label:{embedded}(*)')}"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--library")
    arguments.add_argument("--seed", type=int, default=5)
    arguments.add_argument("--schemas", type=int, default=40)
    options = arguments.parse_args()
    rng = random.Random(options.seed)
    counts, failed = collections.Counter(), []
    for _ in range(options.schemas):
        schema = Schema(rng)
        requests = list(schema.requests())
        follow = []
        for (origin, embedded), (status, body) in zip(requests, answers(schema.script, [target(*r) for r in requests])):
            counts[status] += 1
            error = json.loads(body) if status != 200 else {}
            note = f"{origin} with {embedded}: {status} {body[:1500]}"
            if status == 300:
                listed = re.search(r"one of the following: (.*)\. Find the desired", error["hint"] or "")
                hints = re.findall(r"'((?:[^'\"]|\"(?:[^\"\\]|\\.)*\")*)'", listed[1]) if listed else []
                counts["missing"] += len(error["details"]) - len(hints)
                if len(hints) > len(error["details"]) or len(set(hints)) != len(hints):
                    failed.append(note)
                follow += [(origin, hint, note) for hint in hints]
            elif status != 200 and error["code"] != "PGRST200":
                failed.append(note)
        for (origin, hint, note), (status, body) in zip(follow, answers([], [target(origin, hint) for origin, hint, _ in follow])):
            counts["followed"] += 1
            if status != 200:
                failed.append(f"{origin} with {hint}: {status} {body[:500]}\n    of {note}")
    answers(["drop schema hints cascade;"], [])
    for note in failed[:20]:
        print(note)
    print(f"seed {options.seed}: {dict(counts)}, {len(failed)} failed")
    sys.exit(1 if failed or counts["missing"] * 100 > counts["followed"] or not counts["followed"] else 0)


if __name__ == "__main__":
    main()
