"""What PostgreSQL logs of statements whose values are parameters, when it logs all that it can but for these."""

import contextlib
import os
import pathlib
import subprocess

BIN = pathlib.Path(os.environ["PG_BINDIR"])
# Everything but parameters: what docs/security.md asks for.
SETTINGS = ("log_statement = 'all'", "log_min_duration_statement = 0", "log_min_error_statement = debug5",
            "log_error_verbosity = verbose", "log_parameter_max_length = 0", "log_min_messages = debug2")

# Functions of requests, by which a request tells who asks, what pg_stat_activity shows of its session, and fails.
FUNCTIONS = """
    create function library.me() returns text language sql stable as $$ select restful.user_id() $$;
    create function library.seen() returns text language sql volatile security definer
        as $$ select string_agg(query, ' ') from pg_stat_activity where pid = pg_backend_pid() $$;
    create function library.fail() returns text language plpgsql as $$ begin raise 'it fails for %', restful.user_id(); end $$;
"""
DROP_FUNCTIONS = "drop function library.me(), library.seen(), library.fail(); "


def seen(field):
    """A statement that fails if the session's own line of pg_stat_activity, as a request sees it, is not this statement, or has the
    end of the value."""
    return ("select 1 / (body::text like '%jsonb_build_object(%' and body::text not like '%' || right(:value::text, 12) || '%')::int "
            f"from restful.post('/rpc/seen', '{{}}', jsonb_build_object('{field}', :value::text))")


def make_loud(admin, role):
    """Has all statements of a role's sessions logged, without their parameters."""
    for setting in SETTINGS:
        admin.ask(f"alter role {role} set {setting}")


def run(user, statement, **variables):
    """Runs a statement once, with its `:variables` as parameters; what the client is told of errors."""
    given = [word for name, value in variables.items() for word in ("-D", f"{name}={value}")]
    done = subprocess.run([str(BIN / "pgbench"), "-n", "-t", "1", "-M", "extended", "-U", user, "-f", "-", *given],
                          input=statement + "\n", text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout


@contextlib.contextmanager
def logged(admin):
    """What the server's log gets while the block runs, as a list that holds the one text after it."""
    log = pathlib.Path(admin.ask("show data_directory")).parent / "log"
    before, found = log.stat().st_size, []
    yield found
    with log.open(encoding="utf-8", errors="replace") as file:
        file.seek(before)
        found.append(file.read())
