"""Runs requests and SQL for the law of writes, through psql."""
import json
import subprocess
import sys

import _ways
from _law_schema import SCHEMA
from _sql import quote

ROLE = "law_user"
DONE = "-- done --"

CLEAN_UP = f"""
drop schema if exists {SCHEMA} cascade;
drop schema if exists law_test cascade;
select exists (select from pg_roles where rolname = '{ROLE}') as made \\gset
\\if :made
drop owned by {ROLE}; drop role {ROLE};
\\endif
"""

MAKE_ROLE = f"""create role {ROLE} login;
alter role {ROLE} set restful.schemas = '{SCHEMA}';
alter role {ROLE} set restful.aggregates_enabled = on;
alter role {ROLE} set restful.tx_end = 'commit-allow-override';
"""

SET_UP = f"""{MAKE_ROLE}
create schema law_test;
grant usage on schema law_test to {ROLE};
-- The answer to a request, or the error that it raises instead.
create function law_test.ask(way text, method text, target text, headers jsonb, body text) returns json language plpgsql as $$
declare answer json;
begin
    perform ways.take(way);
    -- Each time that a row is written, it has another version.
    select json_build_object('status', s.status, 'headers', case when method in ('GET', 'HEAD') then s.headers else s.headers - 'etag' end,
        'body', convert_from(s.body, 'utf8')) into answer
    from restful.serve(method, target, headers, convert_to(body, 'utf8')) s;
    return answer;
exception when others then
    return json_build_object('raised', sqlstate, 'message', sqlerrm);
end $$;
create function law_test.in_sql(command text) returns json language plpgsql as $$
declare answer json;
begin
    execute command into answer;
    -- json_agg puts line breaks between rows
    return json_build_object('answer', replace(answer::text, e'\\n', ' ')::json);
exception when others then
    return json_build_object('code', sqlstate, 'message', sqlerrm);
end $$;
-- The rows of all tables.
create function law_test.held() returns json language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    held jsonb := '{{}}';
    relation name;
    rows jsonb;
begin
    for relation in select relname from pg_class where relnamespace = '{SCHEMA}'::regnamespace and relkind = 'r' loop
        execute format('select jsonb_agg(to_jsonb(t) order by rid) from {SCHEMA}.%I t', relation) into rows;
        held := held || jsonb_build_object(relation, coalesce(rows, '[]'));
    end loop;
    return held;
end $$;
grant execute on all functions in schema law_test to {ROLE};
"""


class Session:
    """A psql that stays connected."""

    def __init__(self, user):
        self.user = user
        self.psql = subprocess.Popen(["psql", "-XqAt", "-v", "ON_ERROR_STOP=0", "-U", user], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
        self.lines("set client_min_messages = warning;")

    def lines(self, script):
        """What psql prints for a script. Each of our statements prints at most one line."""
        self.psql.stdin.write(f"{script}\n\\echo {DONE}\n")
        self.psql.stdin.flush()
        found = []
        for line in self.psql.stdout:
            if line.rstrip("\n") == DONE:
                if wrong := [text for text in found if text.startswith(("ERROR", "FATAL", "psql:"))]:
                    sys.exit(f"{self.user}: {wrong[0]}\n{script[-3000:]}")
                return found
            found.append(line.rstrip("\n"))
        sys.exit(f"psql as {self.user} has ended: {found[-3:]}\n{script[-6000:]}")

    def close(self):
        self.psql.stdin.close()
        self.psql.wait()


class Database:
    """A database with one schema at a time."""

    def __init__(self, superuser, library):
        self.admin = Session(superuser)
        self.admin.lines(CLEAN_UP)
        self.admin.lines(_ways.set_up(library) + SET_UP)
        self.user = Session(ROLE)
        self.held = {}
        # How often each of the faster ways was taken.
        self.taken = {}

    def make(self, schema):
        self.admin.lines(f"drop schema if exists {SCHEMA} cascade;\nbegin;\n{schema.script()}\n{grants()}\ncommit;")
        self.held = json.loads(self.user.lines("select law_test.held();")[0])

    def run(self, trials):
        """Runs each trial and rolls it back, a request in both ways. Fills in its answer, and what the tables hold after it."""
        script = []
        for trial, statement in ((trial, statement) for trial in trials for statement in trial.statements):
            # Reads do without this, because the extension reads in another way in a transaction that has written anything.
            start = f"select setval('{SCHEMA}.rids', 100, false) \\g /dev/null\n" if trial.writes else ""
            script.append(f"begin;\n{start}{statement};\n{'select law_test.held();' if trial.writes else ''}\nrollback;")
            if isinstance(trial, Ask) and statement is trial.statements[-1]:
                script.append("select ways.take('');")
        lines = iter(self.user.lines("\n".join(script)))
        for trial in trials:
            trial.each = [(json.loads(next(lines)), json.loads(next(lines)) if trial.writes else None) for _ in trial.statements]
            trial.answer, trial.held = trial.each[-1]
            if isinstance(trial, Ask):
                taken = json.loads(next(lines))
                trial.ways = {way for way, count in taken.items() if count > self.taken.get(way, 0)}
                self.taken = taken

    def close(self):
        self.user.close()
        self.admin.lines(CLEAN_UP + _ways.CLEAN_UP)
        self.admin.close()


def grants():
    return (f"grant usage on schema {SCHEMA} to {ROLE}; grant all on all tables in schema {SCHEMA} to {ROLE};"
            f" grant all on all sequences in schema {SCHEMA} to {ROLE};")


class Trial:
    """Statements that must do the same, and what came of the last one."""

    def __init__(self, statements, writes):
        self.statements, self.writes = statements, writes
        self.answer, self.held = None, None
        # What came of each: the answer, and what the tables hold after it.
        self.each = []


class Ask(Trial):
    """A request."""

    def __init__(self, method, target, headers, body, writes=True, ways=("general", "fastest")):
        self.method, self.target, self.headers, self.body = method, target, headers, body
        arguments = ", ".join([quote(method), quote(target), quote(json.dumps(headers, ensure_ascii=False)),
                               "null" if body is None else quote(body)])
        super().__init__([f"select law_test.ask('{way}', {arguments})" for way in ways], writes)
        # The faster ways that it took.
        self.ways = set()

    def again(self):
        """The same request, in the way in which it runs by itself when it is repeated."""
        return Ask(self.method, self.target, self.headers, self.body, self.writes, ["as usual"])

    @property
    def raised(self):
        return self.answer.get("raised")

    @property
    def status(self):
        return self.answer["status"]

    @property
    def is_refused(self):
        return self.status >= 300

    @property
    def code(self):
        """The code of an error. It is also in a header field, because HEAD has no body."""
        proxy_status = self.answer["headers"].get("proxy-status", "")
        if not proxy_status and self.status == 300:
            return json.loads(self.answer["body"])["code"]
        return proxy_status.partition("error=")[2] or None

    @property
    def text(self):
        return self.answer["body"]

    def field(self, name):
        return self.answer["headers"].get(name)

    def script(self):
        """The statement to replay the request by hand."""
        body = "NULL" if self.body is None else f"convert_to({quote(self.body)}, 'utf8')"
        headers = quote(json.dumps(self.headers, ensure_ascii=False))
        return (f"SELECT status, headers, convert_from(body, 'utf8')\n"
                f"FROM restful.serve({quote(self.method)}, {quote(self.target)}, {headers}, {body});")


class InSql(Trial):
    """A query that answers with JSON."""

    def __init__(self, command, writes=True):
        self.command = command
        super().__init__([f"select law_test.in_sql({quote(command)})"], writes)

    @property
    def code(self):
        return self.answer.get("code")

    @property
    def result(self):
        return self.answer["answer"]

    def script(self):
        return self.command + ";"
