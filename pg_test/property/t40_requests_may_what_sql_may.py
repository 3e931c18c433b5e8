#!/usr/bin/env python3
"""A role may do the same by requests as in SQL, for every role, relation, verb and owner of the row.

Relations, their owners, policies, grants on tables and columns, and functions are random. Each cell of the matrix is a request. The test
makes it in every way in which a request takes a role (a login of its own, the role of an HTTP layer's requests, a trusted
authenticator, a bearer token), and does the same in SQL under SET ROLE. Rows, denials, and the rows of the relation afterwards have to
be identical. Every cell is rolled back.

Needs psql and a connection in the PG* variables (a superuser, the extension in the database):

    t40_requests_may_what_sql_may.py [--seed N] [--relations M] [--cell N]

If a cell differs, its request, its SQL and both answers are printed. --seed and --cell run it again, alone. The schema
matrix and the roles m_* are dropped before and after. Exits with 1 if a cell differs.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import random
import subprocess
import sys

import _ways
from _sql import quote

VERSION = int(os.environ.get("PG_VERSION", "15"))
ROLES = ["m_alice", "m_bob", "m_clerk", "m_owner", "m_reader", "m_bypass"]
COLUMNS = ["id", "owner", "title", "amount", "secret"]
ROWS = [(1, "m_alice"), (2, "m_alice"), (3, "m_bob"), (4, "m_bob"), (5, "m_clerk"), (6, "m_owner")]
# Rows to ask for. For most roles, each belongs to another role. The last one does not exist.
ASKED = [1, 3, 6, 99]
WAYS = ["login", "layer", "trusted", "token"]
# The roles that an HTTP layer logs in as.
LOGINS = [f"m_layer_{role}" for role in ROLES] + ["m_gate", "m_tokens"]
KEY = "matrix"
# The status of a denied request. It is 401 if the request runs as the anonymous role, because a login might help.
DENIED = {"login": 403, "layer": 401, "trusted": 403, "token": 403}

SET_UP = """
create schema matrix;
grant usage on schema matrix to public;
create function matrix.holds(relation text) returns json language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare held json;
begin
    execute format('select json_agg(t order by id) from matrix.%I t', relation) into held;
    return held;
end $$;
-- the same in SQL
create function matrix.in_sql(command text, answers boolean) returns json language plpgsql as $$
declare answer json;
begin
    if answers then execute command into answer; else execute command; end if;
    return json_build_object('rows', answer);
exception when others then
    return json_build_object('code', sqlstate, 'message', sqlerrm);
end $$;
grant execute on function matrix.holds, matrix.in_sql to public;
"""


Cell = collections.namedtuple("Cell", "role relation base verb method target headers body sql answers expects")


class Relation:
    """A relation of the matrix, as SQL, with everything that decides about access to it."""

    def __init__(self, number, kind, rng):
        self.kind, self.rng = kind, rng
        self.name = f"r{number}"
        self.base = f"b{number}" if "view" in kind else self.name
        self.notes = f"n{number}" if "view" not in kind else None
        self.script = []
        self._relation(number)

    def some(self, population):
        return self.rng.sample(population, self.rng.randrange(1, len(population) + 1))

    def _expression(self):
        return self.rng.choice(["owner = current_user", "owner = current_user", "owner = (select restful.role())", "true", "false",
                                "id % 2 = 0", "amount < 30", "current_user in ('m_alice', 'm_clerk')"])

    def _policies(self, table, expression):
        rng = self.rng
        for number in range(rng.choice([0, 1, 2, 3, 5])):
            command = rng.choice(["all", "select", "insert", "update", "delete"])
            using = f" using ({expression()})" if command != "insert" else ""
            check = f" with check ({expression()})" if command == "insert" or command in ("all", "update") and rng.random() < 0.5 else ""
            kind = "restrictive" if number and rng.random() < 0.3 else "permissive"
            to = ", ".join(self.some(ROLES)) if rng.random() < 0.4 else "public"
            self.script.append(f"create policy p{number} on matrix.{table} as {kind} for {command} to {to}{using}{check};")

    def _grants(self, name, columns):
        """Grants most commands to most roles, and some commands only on some columns."""
        rng = self.rng
        for role in ROLES:
            for command in "select", "insert", "update", "delete":
                chance = rng.random()
                if chance < 0.65:
                    self.script.append(f"grant {command} on matrix.{name} to {role};")
                elif chance < 0.9 and command != "delete":
                    self.script.append(f"grant {command} ({', '.join(self.some(columns))}) on matrix.{name} to {role};")

    def _relation(self, number):
        rng, base, say = self.rng, self.base, self.script.append
        partitioned = self.kind == "partitioned"
        say(f"create table matrix.{base} (id int primary key, owner text, title text, amount int default 7, secret text default 's')"
            f"{' partition by range (id)' if partitioned else ''};")
        if partitioned:
            say(f"create table matrix.{base}_low partition of matrix.{base} for values from (0) to (4);")
            say(f"create table matrix.{base}_high partition of matrix.{base} for values from (4) to (1000);")
            say(f"grant all on matrix.{base}_low, matrix.{base}_high to public;")
        values = ", ".join(f"({i}, '{owner}', 'title {i}', {i * 10}, 'secret {i}')" for i, owner in ROWS)
        say(f"insert into matrix.{base} values {values};")
        if self.notes:
            # A trigger that deletes keeps writes off their fast path.
            deletes = " on delete cascade" if number % 2 else ""
            say(f"create table matrix.{self.notes} (id int primary key, parent int references matrix.{base}{deletes}, owner text);")
            say(f"insert into matrix.{self.notes} values (1, 1, 'm_alice'), (2, 1, 'm_bob'), (3, 3, 'm_bob'), (4, null, 'm_owner');")
            self._grants(self.notes, ["id", "parent", "owner"])
            if rng.random() < 0.5:
                say(f"alter table matrix.{self.notes} enable row level security;")
                self._policies(self.notes, lambda: rng.choice(["owner = current_user", "true", "id < 3"]))
        if self.kind != "open":
            say(f"alter table matrix.{base} enable row level security;")
            if rng.random() < 0.4:
                say(f"alter table matrix.{base} force row level security;")
            self._policies(base, self._expression)
        if "view" in self.kind:
            option = "with (security_invoker = true) " if self.kind == "invoker view" else ""
            say(f"create view matrix.{self.name} {option}as select * from matrix.{base};")
            if rng.random() < 0.7 or self.kind == "invoker view":
                self._grants(base, COLUMNS)
            if rng.random() < 0.5:
                say(f"alter view matrix.{self.name} owner to m_owner;")
        self._grants(self.name, COLUMNS)
        for name, arguments, rest in (
            ("rows", "", f"returns setof matrix.{self.name} language sql stable begin atomic select * from matrix.{self.name}; end"),
            ("all", "", f"returns setof matrix.{self.name} language sql stable security definer as 'select * from matrix.{self.name}'"),
            ("touch", "wanted int", "returns setof int language sql as "
             f"'update matrix.{self.name} set title = $$touched$$ where id = wanted returning id'"),
        ):
            say(f"create function matrix.{name}_{self.name}({arguments}) {rest};")
            say(f"revoke execute on function matrix.{name}_{self.name} from public;")
            say(f"grant execute on function matrix.{name}_{self.name} to {', '.join(self.some(ROLES))};")
        if rng.random() < 0.5:
            say(f"alter table matrix.{base} owner to m_owner;")

    def cells(self, role):
        """The cells of a role: (verb, method, target, headers, body, SQL, whether SQL answers rows, what the response has to be)."""
        rng, name = self.rng, f"matrix.{self.name}"
        at = f"/{self.name}"
        minimal, rows = {}, {"prefer": "return=representation"}
        other = rng.choice([r for r in ROLES if r != role])

        def columns():
            return rng.sample(COLUMNS, rng.randrange(1, 4))

        def read(what):
            return f"select coalesce(json_agg(q), '[]') from ({what}) q"

        def returning(statement, chosen):
            return f"with q as ({statement} returning {', '.join(chosen)}) select coalesce(json_agg(q), '[]') from q"

        def insert(row, conflict=""):
            values = ", ".join(str(v) if isinstance(v, int) else quote(v) for v in row.values())
            return f"insert into {name} ({', '.join(row)}) values ({values}){conflict}"

        chosen = columns()
        yield "all", "GET", at, {}, None, read(f"select * from {name}"), True, "rows"
        yield "count", "GET", f"{at}?select={','.join(chosen)}", {"prefer": "count=exact"}, None, \
            read(f"select {', '.join(chosen)} from {name}"), True, "rows and total"
        column, ordered = rng.choice(COLUMNS), rng.choice(COLUMNS)
        yield "filter", "GET", f"{at}?select=id&{column}=gt.2", {}, None, read(f"select id from {name} where {column} > '2'"), True, "rows"
        yield "order", "GET", f"{at}?select=id&order={ordered}", {}, None, read(f"select id from {name} order by {ordered}"), True, "rows"
        both = [{"id": 101, "owner": role, "title": "t"}, {"id": 102, "owner": other, "title": "t"}]
        yield "insert two", "POST", at, minimal, both, \
            insert(both[0]) + f", (102, '{other}', 't')", False, "nothing"
        yield "update all", "PATCH", f"{at}?amount=gt.0", minimal, {"title": "new"}, \
            f"update {name} set title = 'new' where amount > 0", False, "nothing"
        yield "function", "GET", f"/rpc/rows_{self.name}?select={','.join(chosen)}", {}, None, \
            read(f"select {', '.join(chosen)} from matrix.rows_{self.name}()"), True, "rows"
        yield "definer function", "GET", f"/rpc/all_{self.name}?id=lt.4", {}, None, \
            read(f"select * from matrix.all_{self.name}() where id < 4"), True, "rows"
        if self.notes:
            yield "embed", "GET", f"{at}?select=id,{self.notes}(id,owner)", {}, None, read(
                # Put the parents into a CTE, as requests do. PostgreSQL does not check the rights to what is joined to a relation that a
                # policy empties.
                f"with t as materialized (select id from {name}) select t.id, n.rows as {self.notes} from t"
                f" left join lateral (select coalesce(json_agg(n), '[]') as rows"
                f" from (select n.id, n.owner from matrix.{self.notes} n where n.parent = t.id) n) n on true"), True, "rows"
            yield "embed one", "GET", f"/{self.notes}?select=id,{self.name}(title)", {}, None, read(
                f"select n.id, row_to_json(t) as {self.name} from matrix.{self.notes} n"
                f" left join lateral (select t.title from {name} t where t.id = n.parent) t on true"), True, "rows"
            yield "embed inner", "GET", f"/{self.notes}?select=id,{self.name}!inner(id)&{self.name}.amount=lt.30", {}, None, read(
                f"select n.id, json_build_object('id', t.id) as {self.name} from matrix.{self.notes} n"
                f" join {name} t on t.id = n.parent where t.amount < 30"), True, "rows"
        if self.kind == "partitioned":
            yield "partition", "GET", f"{at}_low?select=id", {}, None, None, True, "absent"
            yield "write to partition", "PATCH", f"{at}_low?id=eq.1", minimal, {"title": "new"}, None, True, "absent"
        for row in ASKED:
            where = f"where id = {row}"
            owner = dict(ROWS).get(row, role)
            chosen = columns()
            picked = ",".join(chosen)
            new = {"id": 100 + row, "owner": owner, "title": "new"}
            whole = {"id": row, "owner": owner, "title": "put", "amount": 5, "secret": "put"}
            some = {"id": row, "owner": rng.choice([role, owner, other]), "title": "up"}

            def update(what):
                return " on conflict (id) do update set " + ", ".join(f"{c} = excluded.{c}" for c in what if c != "id")

            yield "read", "GET", f"{at}?select={picked}&id=eq.{row}", {}, None, read(f"select {picked} from {name} {where}"), True, "rows"
            yield "head", "HEAD", f"{at}?select={picked}&id=eq.{row}", {}, None, read(f"select {picked} from {name} {where}"), True, "head"
            yield "item", "GET", f"{at}/{row}", {}, None, read(f"select * from {name} {where}"), True, "item"
            yield "insert", "POST", at, minimal, new, insert(new), False, "nothing"
            yield "insert and read", "POST", f"{at}?select={picked}", rows, new, returning(insert(new), chosen), True, "rows"
            yield "upsert", "POST", at, {"prefer": "resolution=merge-duplicates"}, some, insert(some, update(some)), False, "nothing"
            yield "insert new", "POST", at, {"prefer": "resolution=ignore-duplicates"}, some, \
                insert(some, " on conflict (id) do nothing"), False, "nothing"
            yield "put", "PUT", f"{at}/{row}", minimal, whole, insert(whole, update(whole)), False, "nothing"
            yield "update", "PATCH", f"{at}?id=eq.{row}", minimal, {"amount": 9}, f"update {name} set amount = 9 {where}", False, "nothing"
            yield "update and read", "PATCH", f"{at}?id=eq.{row}&select={picked}", rows, {"title": "new"}, \
                returning(f"update {name} set title = 'new' {where}", chosen), True, "rows"
            yield "give away", "PATCH", f"{at}?id=eq.{row}", minimal, {"owner": other}, \
                f"update {name} set owner = '{other}' {where}", False, "nothing"
            yield "delete", "DELETE", f"{at}?id=eq.{row}", minimal, None, f"delete from {name} {where}", False, "nothing"
            yield "delete and read", "DELETE", f"{at}?id=eq.{row}&select={picked}", rows, None, \
                returning(f"delete from {name} {where}", chosen), True, "rows"
            yield "delete item", "DELETE", f"{at}/{row}", rows, None, returning(f"delete from {name} {where}", ["*"]), True, "item"
            calls = read(f"select x from matrix.touch_{self.name}({row}) x").replace("json_agg(q)", "json_agg(q.x)")
            yield "call", "POST", f"/rpc/touch_{self.name}", {}, {"wanted": row}, calls, True, "rows"
            yield "call by GET", "GET", f"/rpc/touch_{self.name}?wanted={row}", {}, None, calls, True, "rows"


def clean_up():
    roles = ROLES + LOGINS
    each = "\n".join(f"drop owned by {role}; drop role {role};" for role in reversed(roles))
    return f"""drop schema if exists matrix cascade;
        select restful.revoke_key('{KEY}') \\g /dev/null
        select exists (select from pg_roles where rolname = 'm_gate') as made \\gset
        \\if :made
        {each}
        \\endif"""


def logins():
    """Creates the roles, and the logins through which requests take them."""
    for role in ROLES:
        yield f"create role {role} login {'bypassrls' if role == 'm_bypass' else ''};"
        yield f"create role m_layer_{role} login noinherit; grant {role} to m_layer_{role};"
        yield f"alter role m_layer_{role} set restful.anon_role = '{role}';"
    yield f"create role m_gate login noinherit; grant {', '.join(ROLES)} to m_gate;"
    yield "alter role m_gate set restful.trusted_authenticators = 'm_gate';"
    yield f"create role m_tokens login noinherit; grant {', '.join(ROLES)} to m_tokens;"
    for login in ROLES + LOGINS:
        yield f"alter role {login} set restful.schemas = 'matrix'; alter role {login} set restful.bypassrls_roles = 'm_bypass';"


def psql(user, script):
    """The lines that psql prints for a script. An error ends the test."""
    done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-U", user], encoding="utf-8", check=False, capture_output=True,
                          input="set client_min_messages = warning;\n" + script)
    if done.returncode:
        sys.exit(f"psql as {user} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout.splitlines()


def become(role):
    return f"set local role {role}; set local request.jwt.claims = {quote(json.dumps({'role': role, 'sub': role}))};"


def tokens():
    """A token of each role."""
    yield f"select restful.load_secret(encode(sha256(random()::text::bytea), 'hex'), '{KEY}') \\g /dev/null"
    for role in ROLES:
        yield f"select restful.jwt_sign({quote(json.dumps({'role': role, 'sub': role}))}, '1 hour', '{KEY}');"


def begin(cell):
    """Begins the transaction of a cell. Writes to a relation wait for each other here: a session that waits for a subtransaction of
    another one waits until the other's transaction ends, even if the subtransaction is rolled back, so row locks alone can deadlock."""
    alone = "" if cell.method in ("GET", "HEAD") else f" select pg_advisory_xact_lock(hashtext('{cell.relation}')) \\g /dev/null\n"
    return f"begin;{alone}"


def as_request(cell, way, token=None):
    headers = cell.headers | ({"authorization": f"Bearer {token}"} if token else {})
    body = "null" if cell.body is None else f"convert_to({quote(json.dumps(cell.body))}, 'utf8')"
    call = f"ways.serve('{cell.method}', {quote(cell.target)}, {quote(json.dumps(headers))}, {body})"
    return (f"{begin(cell)} {become(cell.role) if way == 'trusted' else ''} select jsonb_build_object('status', status, 'headers', headers, "
            f"'body', convert_from(body, 'utf8'), 'held', matrix.holds('{cell.base}')) from {call}; rollback;")


def as_sql(cell):
    if cell.sql is None:
        return f"select jsonb_build_object('held', matrix.holds('{cell.base}'));"
    read_only = "set local transaction_read_only = on;" if cell.method in ("GET", "HEAD") else ""
    return (f"{begin(cell)} {read_only} set local role {cell.role}; select jsonb_build_object('answer', answer, "
            f"'held', matrix.holds('{cell.base}')) from matrix.in_sql({quote(cell.sql)}, {cell.answers}) answer; rollback;")


def in_order(rows):
    return sorted(json.dumps(row, sort_keys=True) for row in rows)


def difference(cell, way, sql, response):
    """Says in words what differs, or returns None if nothing does."""
    if sql["held"] != response["held"]:
        return "the relation holds other rows afterwards"
    status = response["status"]
    problem = "problem+json" in response["headers"].get("content-type", "")
    body = json.loads(response["body"]) if response["body"] else None
    if cell.expects == "absent":
        return None if status == 404 and body["code"] == "PGRST205" else "a partition is exposed"
    answer = sql["answer"]
    if code := answer.get("code"):
        expected = {"42501": DENIED[way], "25006": 405, "23503": 409, "23505": 409}.get(code)
        if cell.expects != "head" and (not problem or body["code"] != code):
            return "SQL is refused in another way"
        return None if status == expected else f"the status is not {expected}"
    if status >= 300 and not (cell.expects == "item" and status == 404 and not answer["rows"] and body["code"] == "REST404"):
        return "the request is refused, but SQL succeeds"
    if cell.expects == "nothing":
        return None if body is None else "there is a body"
    if cell.expects == "head":
        return None if body is None and status == 200 else "the answer to HEAD is not what it has to be"
    if cell.expects == "item":
        got = body if isinstance(body, list) else [body]
        return None if not answer["rows"] or in_order(got) == in_order(answer["rows"]) else "the item differs"
    if in_order(body) != in_order(answer["rows"]):
        return "the rows differ"
    if cell.expects == "rows and total" and int(response["headers"]["content-range"].split("/")[1]) != len(answer["rows"]):
        return "the total differs"
    return None


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--library", required=True, help="built with the feature pg_test")
    arguments.add_argument("--seed", type=int, default=40)
    arguments.add_argument("--relations", type=int, default=10)
    arguments.add_argument("--cell", type=int)
    options = arguments.parse_args()
    rng = random.Random(options.seed)
    kinds = ["open", "table", "partitioned", "definer view"] + (["invoker view"] if VERSION >= 15 else [])
    relations = [Relation(number, kinds[number % len(kinds)], rng) for number in range(options.relations)]
    cells = [Cell(role, r.name, r.base, *cell) for r in relations for role in ROLES for cell in r.cells(role)]
    numbered = list(enumerate(cells))
    if options.cell is not None:
        numbered = [numbered[options.cell]]
    user = os.environ.get("PGUSER", "postgres")
    psql(user, "\n".join([clean_up(), _ways.set_up(options.library), *logins(), SET_UP, *(line for r in relations for line in r.script), "analyze;"]))
    token = dict(zip(ROLES, psql(user, "\n".join(tokens()))))

    def requests(way, role=None, token=None):
        asked = [as_request(cell, way, token and token[cell.role]) for _, cell in numbered if role in (None, cell.role)]
        return "\n".join([*asked, "select ways.take('');"])

    jobs = {("SQL", None): (user, "\n".join(as_sql(cell) for _, cell in numbered))}
    jobs["trusted", None] = "m_gate", requests("trusted")
    jobs["token", None] = "m_tokens", requests("token", token=token)
    for role in ROLES:
        for way, login in ("login", role), ("layer", f"m_layer_{role}"):
            jobs[way, role] = login, requests(way, role)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        done = dict(zip(jobs, pool.map(lambda job: [json.loads(line) for line in psql(*job)], jobs.values())))
    taken = collections.Counter()
    for (way, _), lines in done.items():
        if way != "SQL":
            taken.update(lines.pop())
    psql(user, clean_up() + "\n" + _ways.CLEAN_UP)

    answers = {key: iter(lines) for key, lines in done.items()}
    differing, outcomes = 0, collections.Counter()
    for number, cell in numbered:
        sql = next(answers["SQL", None])
        answer = sql.get("answer", {})
        outcomes[answer.get("code") or ("rows" if answer.get("rows") else "no rows" if cell.answers else "done")] += 1
        for way in WAYS:
            response = next(answers[way, cell.role if way in ("login", "layer") else None])
            if what := difference(cell, way, sql, response):
                differing += 1
                print(f"\n--seed {options.seed} --relations {options.relations} --cell {number}: {cell.role}, {cell.verb}, "
                      f"{next(r.kind for r in relations if r.name == cell.relation)}, by {way}: {what}\n  {cell.method} {cell.target} "
                      f"{json.dumps(cell.headers)} {json.dumps(cell.body)}\n  {cell.sql}\n  SQL: {json.dumps(sql)}\n  got: {json.dumps(response)}")
    print(f"{len(numbered)} cells, each in {len(WAYS)} ways, {differing} differ; SQL answered: "
          + ", ".join(f"{what} {count}" for what, count in outcomes.most_common()))
    # If nothing or everything is denied, the test proves nothing.
    worthless = options.cell is None and not (outcomes["42501"] > 100 and outcomes["rows"] > 100 and outcomes["done"] > 100)
    if seldom := _ways.seldom(taken, {"read": len(numbered) // 2, "write": len(numbered) // 5} if options.cell is None else {}):
        print(f"too seldom to prove anything: {seldom}")
    sys.exit(1 if differing or worthless or seldom else 0)


if __name__ == "__main__":
    main()
