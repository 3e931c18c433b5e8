"""Runs statements with parameters while PostgreSQL logs everything that it can except parameters, and reads its log."""

import contextlib
import os
import pathlib
import subprocess

BIN = pathlib.Path(os.environ["PG_BINDIR"])
# Log everything except parameters, as docs/security.md recommends.
SETTINGS = ("log_statement = 'all'", "log_min_duration_statement = 0", "log_min_error_statement = debug5",
            "log_error_verbosity = verbose", "log_parameter_max_length = 0", "log_min_messages = debug2")

# Functions for requests to call: one says who asks, one shows the session's line of pg_stat_activity, and one fails.
FUNCTIONS = """
    create function library.me() returns text language sql stable as $$ select restful.user_id() $$;
    create function library.seen() returns text language sql volatile security definer
        as $$ select string_agg(query, ' ') from pg_stat_activity where pid = pg_backend_pid() $$;
    create function library.fail() returns text language plpgsql as $$ begin raise 'it fails for %', restful.user_id(); end $$;
"""
DROP_FUNCTIONS = "drop function library.me(), library.seen(), library.fail(); "


def seen(field):
    """A statement whose request reads the session's own line of pg_stat_activity. It fails if the line does not show this
    statement, or shows the end of the value."""
    return ("select 1 / (body::text like '%jsonb_build_object(%' and body::text not like '%' || right(:value::text, 12) || '%')::int "
            f"from restful.post('/rpc/seen', '{{}}', jsonb_build_object('{field}', :value::text))")


def make_loud(admin, role):
    """Makes PostgreSQL log all statements of a role's sessions, without their parameters."""
    for setting in SETTINGS:
        admin.ask(f"alter role {role} set {setting}")


def run(user, statement, **variables):
    """Runs a statement once, with its `:variables` as parameters. Returns what the client is told, including errors."""
    given = [word for name, value in variables.items() for word in ("-D", f"{name}={value}")]
    done = subprocess.run([str(BIN / "pgbench"), "-n", "-t", "1", "-M", "extended", "-U", user, "-f", "-", *given],
                          input=statement + "\n", text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout


@contextlib.contextmanager
def logged(admin):
    """Yields a list. After the block, the list holds one text: what the server has logged while the block ran."""
    log = pathlib.Path(admin.ask("show data_directory")).parent / "log"
    before, found = log.stat().st_size, []
    yield found
    with log.open(encoding="utf-8", errors="replace") as file:
        file.seek(before)
        found.append(file.read())
