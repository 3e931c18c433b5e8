"""Shared by the tests of client libraries: the libraries, a database for them, and a gateway in front of it.

The libraries are installed below target/clients, in the versions of the lock files here. They are kept until a lock file changes.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

from harness import HERE, ROOT, Gateway

CLIENTS = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "clients"


def _install(folder, lock, command):
    """Runs a command in an empty folder with the files of `lock`, unless it has already run with the same files."""
    digest = hashlib.sha256(sys.version.encode())
    for path in lock:
        digest.update(path.read_bytes())
    stamp = folder / "installed"
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in lock:
        shutil.copy(path, folder)
    done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}:\n{done.stdout}")
    stamp.write_text(digest.hexdigest())


def node_project(source):
    """A folder with the packages of `source`/package-lock.json and the scripts of `source`."""
    folder = CLIENTS / source.name
    _install(folder, [source / "package.json", source / "package-lock.json"], ["npm", "ci", "--no-audit", "--no-fund"])
    for script in source.glob("*.mjs"):
        shutil.copy(script, folder)
    return folder


def python_packages(requirements, name=None):
    """A folder for sys.path with the packages of a file of requirements. It is called like the file, or `name`."""
    folder = CLIENTS / (name or requirements.stem)
    _install(folder, [requirements], [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--disable-pip-version-check",
                                      "--target", str(folder), "-r", requirements.name])
    return folder


def psql(*arguments):
    """Runs psql in the database that the PG* variables name, and returns what it prints."""
    command = [pathlib.Path(os.environ["PG_BINDIR"]) / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", *arguments]
    return subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True).stdout.strip()


def start_gateway(**settings):
    """Fills the database that the PG* variables name, and starts a gateway in front of it. Its requests run as anon."""
    psql("-f", str(HERE / "clients.sql"))
    psql("-c", f"alter role authenticator in database {os.environ['PGDATABASE']} set restful.schemas = 'library, archive'")
    return another_gateway(**settings)


def another_gateway(**settings):
    """Starts one more gateway in front of the same database, which is already filled."""
    host, port, name = (os.environ[name] for name in ("PGHOST", "PGPORT", "PGDATABASE"))
    return Gateway(DATABASE_URL=f"host={host} port={port} dbname={name} user=authenticator", **settings)
