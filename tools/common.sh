# Shell tools source this file. It knows where things are, and which user runs PostgreSQL.
set -euo pipefail
# Files that user postgres reads are made by us.
umask 022
# For runuser, where root's PATH is a user's.
PATH=$PATH:/usr/sbin:/sbin

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
TARGET=${CARGO_TARGET_DIR:-$ROOT/target}
# The versions in the wheel of tools/postgres-from-wheel.
WHEEL_VERSIONS="16 18"

say() { printf '%s\n' "$*" >&2; }
die() { say "${0##*/}: $*"; exit 1; }
am_root() { [ "$(id -u)" = 0 ]; }

# Runs a command as a user who may run PostgreSQL, which refuses to run as root.
as_postgres() {
    if am_root; then (cd / && exec runuser -u postgres -- "$@"); else "$@"; fi
}

# A short name of this checkout and user, for folders outside of it.
checkout_id() { printf '%s %s' "$(id -u)" "$ROOT" | sha256sum | cut -c1-8; }

# Makes a folder where anyone may make folders, or checks that the existing one is ours.
own_folder() { # PATH MODE OWNER
    if mkdir -m "$2" -- "$1" 2>/dev/null; then chown "$3" "$1"; fi
    [ -d "$1" ] && [ ! -L "$1" ] && [ "$(stat -c %U -- "$1")" = "$3" ] || die "$1 should be a folder of $3: remove it"
    chmod "$2" "$1"
}

# The user who runs PostgreSQL.
server_user() { if am_root; then echo postgres; else id -un; fi; }

# The folder for servers, their data and logs. target/postgres, unless user postgres cannot enter it (a checkout in /root).
place() {
    mkdir -p "$TARGET"
    if am_root && id postgres >/dev/null 2>&1 && ! as_postgres test -x "$TARGET"; then
        local elsewhere; elsewhere=/var/tmp/pg_restful-$(checkout_id)
        if [ ! -d "$elsewhere" ]; then say "User postgres cannot enter $TARGET: servers and data go to $elsewhere"; fi
        own_folder "$elsewhere" 755 root
        echo "$elsewhere"
    else
        mkdir -p "$TARGET/postgres"
        echo "$TARGET/postgres"
    fi
}

# Majors of the installed, supported PostgreSQL servers, newest first.
installed_versions() {
    local v
    for v in 18 17 16 15 14; do
        if [ -x "/usr/lib/postgresql/$v/bin/postgres" ]; then echo "$v"; fi
    done
}

# pg_config of the main PostgreSQL: PG_CONFIG, or that of the newest installed server.
main_pg_config() {
    local v
    if [ -n "${PG_CONFIG:-}" ]; then echo "$PG_CONFIG"; return; fi
    v=$(installed_versions | head -n 1)
    if [ -n "$v" ]; then echo "/usr/lib/postgresql/$v/bin/pg_config"; return; fi
    command -v pg_config || die "no PostgreSQL server found: run tools/setup, or set PG_CONFIG=/path/to/pg_config"
}

major_of() { "$1" --version | sed -E 's/^PostgreSQL ([0-9]+).*/\1/'; }

main_version() { major_of "$(main_pg_config)"; }

# All tested versions: the main one first, then those of the wheel.
test_versions() {
    local main v; main=$(main_version); echo "$main"
    if [ "$(uname -sm)" = "Linux x86_64" ]; then
        for v in $WHEEL_VERSIONS; do [ "$v" = "$main" ] || echo "$v"; done
    fi
}

# The environment of every cargo call. It is always the same, because pgrx would be rebuilt otherwise.
cargo_environment() {
    export CARGO_TARGET_DIR=$TARGET
    export PGRX_HOME=$TARGET/pgrx
    # A backtrace would become the DETAIL of every error that comes from a panic.
    unset RUST_BACKTRACE
}
