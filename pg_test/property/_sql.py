"""Writes parts of SQL, and runs psql."""

import subprocess
import sys


def quote(text):
    """A literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name):
    return '"' + name.replace('"', '""') + '"'


def run(*statements, messages="error"):
    """What psql prints for the statements. Messages below the level `messages` are left out. The first error ends the test."""
    script = f"set client_encoding = 'UTF8';\nset client_min_messages = {messages};\n" + "\n".join(statements)
    psql = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1"], input=script, encoding="utf-8", check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if psql.returncode != 0:
        print(psql.stderr[-4000:])
        sys.exit(2)
    return psql.stdout
