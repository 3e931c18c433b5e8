"""REST requests over Flask. DATABASE_URL=postgres://authenticator:PASSWORD@localhost/DATABASE flask --app app run --port 3000"""

import os

import psycopg
from flask import Flask, Response, request
from psycopg.types.json import Jsonb
from psycopg_pool import ConnectionPool

SERVE = "SELECT status, headers, body FROM restful.serve(%s, %s, %s, %s)"
BODY_LIMIT = 16 * 1024 * 1024  # A larger body is answered with 413.

pool = ConnectionPool(os.environ["DATABASE_URL"], kwargs={"autocommit": True}, timeout=5, open=True)
app = Flask(__name__, static_folder=None)
app.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT


class Answer(Response):
    default_mimetype = None  # The extension says what the content type is.


# Before Flask's own routes, for all methods and paths. Return None for a path that shall have a Flask route.
@app.before_request
def serve():
    # The target as it arrived: Flask's own path is decoded. Most servers call it RAW_URI, uWSGI and mod_wsgi call it REQUEST_URI.
    target = request.environ.get("RAW_URI") or request.environ["REQUEST_URI"]
    arguments = (request.method, target, Jsonb(dict(request.headers)), request.get_data() or None)
    try:
        with pool.connection() as connection:
            status, fields, body = connection.execute(SERVE, arguments).fetchone()
    except psycopg.Error as error:
        app.logger.error("restful.serve: %s", error)
        unreachable = (error.sqlstate or "08").startswith(("08", "57P"))
        return Answer(status=504 if error.sqlstate == "57014" else 503 if unreachable else 500)
    pairs = [(name, text) for name, value in fields.items() for text in (value if isinstance(value, list) else [value])]
    answer = Answer(body, status, pairs)
    answer.automatically_set_content_length = body is not None  # HEAD has no body, and a length of 0 would be wrong.
    return answer
