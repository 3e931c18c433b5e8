"""Connects the runner of PostgREST's spec vectors to this extension: `Adapter` calls restful.serve.

The session is set up like that of an HTTP layer (restful.anon_role, restful.trusted_authenticators). It verifies tokens with the
secret in a vector's configuration. As with PostgREST, tokens need not expire.
"""

import json

# The login role of the fixtures. It may take the roles that the vectors ask for.
AUTHENTICATOR = "Postgrest_Test_Authenticator"


def identifiers(names: list[str]) -> str:
    """A list of names as in search_path."""
    return ", ".join('"' + name.replace('"', '""') + '"' for name in names)


def switch(on: bool) -> str:
    return "on" if on else "off"


# Maps a key of a vector's configuration to our setting and to how its value is written. A key that is not here has no setting, and
# its vectors run without one.
SETTINGS = {
    "db-schemas": ("restful.schemas", identifiers),
    "db-anon-role": ("restful.anon_role", str),
    "db-extra-search-path": ("restful.extra_search_path", identifiers),
    "db-pre-request": ("restful.pre_request", str),
    "db-max-rows": ("restful.max_rows", str),
    "db-aggregates": ("restful.aggregates_enabled", switch),
    "db-plan-enabled": ("restful.plan_enabled", switch),
    "db-tx-end": ("restful.tx_end", str),
    "openapi-mode": ("restful.openapi_mode", str),
    "db-root-spec": ("restful.root_spec", str),
    "openapi-security-active": ("restful.openapi_security_active", switch),
    "openapi-server-proxy-uri": ("restful.openapi_server_proxy_uri", str),
    "client-error-verbosity": ("restful.error_verbosity", str.lower),
    "app.settings.app_host": ("app.settings.app_host", str),
    "app.settings.external_api_secret": ("app.settings.external_api_secret", str),
}
FIXED = {
    "restful.trusted_authenticators": identifiers([AUTHENTICATOR]),
    "restful.openapi_version": "2.0",
    # PostgREST always shows DETAIL.
    "restful.expose_details": "on",
    # PostgREST's tokens need neither exp nor aud.
    "restful.jwt_require_exp": "off",
    "restful.jwt_require_aud": "off",
}


def settings(configuration: dict) -> dict[str, str]:
    """The settings for a configuration."""
    chosen = {name: text(configuration[key]) for key, (name, text) in SETTINGS.items() if configuration[key] is not None}
    return FIXED | chosen


def load_keys(conn, configuration: dict) -> None:
    """Loads the keys of a configuration, and removes all others."""
    secret, audience = configuration["jwt-secret"], configuration["jwt-audience"]
    audiences = [audience] if audience else []
    conn.execute("delete from restful.token_issuer")
    if secret is None:
        return
    if secret.lstrip().startswith("{"):
        keys = json.loads(secret)
        keys = keys if "keys" in keys else {"keys": [keys]}
        conn.execute("select restful.load_jwks('', %s::jsonb, %s::text[])", [json.dumps(keys), audiences])
    else:
        conn.execute("select restful.load_secret(%s::text, audiences => %s::text[])", [secret, audiences])


class Adapter:
    # We skip what a function in a database cannot do: either the web server in front of it does it, or it is about PostgREST's own
    # connections.
    skip_tags = {
        "cors": "the web server does CORS",
        "server-timing": "the web server sends Server-Timing",
        "trace-header": "the web server handles trace headers",
        "prepared": "about PostgREST's prepared statements",
        "safeupdate": "needs safeupdate",
    }
    skip_specs = {"ConcurrentSpec": "about PostgREST's server"}

    def configure(self, conn, configuration: dict) -> None:
        """Sets up a new session like that of an HTTP layer with this configuration."""
        # PostgreSQL knows our settings only once the library is loaded.
        conn.execute("select restful.get('/')")
        for name, value in settings(configuration).items():
            conn.execute("select set_config(%s, %s, false)", [name, value])
        if configuration["db-anon-role"] is None:
            conn.execute("set restful.require_token = on")
        load_keys(conn, configuration)
        conn.execute(f"set session authorization {identifiers([AUTHENTICATOR])}")

    def call(self, conn, vector: dict, configuration: dict, method: str, target: str, headers: list, body: bytes | None):
        """Status, header fields and body of one request. The caller has set a savepoint."""
        sent: dict[str, list[str]] = {}
        for name, value in headers:
            sent.setdefault(name.lower(), []).append(value)
        sql = "select status, headers, body from restful.serve(%s::text, %s::text, %s::jsonb, %s::bytea)"
        status, fields, answer = conn.execute(sql, [method, target, json.dumps(sent), body]).fetchone()
        pairs = [(name, value) for name, values in (fields or {}).items()
                 for value in (values if isinstance(values, list) else [values])]
        return status, pairs, answer

    def after_commit(self, conn) -> None:
        """Resets the settings that a committed request has left behind."""
        conn.execute("reset role")
        conn.execute("select set_config('request.jwt.claims', '', true)")
