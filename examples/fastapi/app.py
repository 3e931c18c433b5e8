"""REST requests over FastAPI. DATABASE_URL=postgres://authenticator:PASSWORD@localhost/DATABASE uvicorn app:app --port 3000"""
import logging
import os
from contextlib import asynccontextmanager

import psycopg
from fastapi import FastAPI, Request, Response
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

SERVE = "SELECT status, headers, body FROM restful.serve(%s, %s, %s, %s)"
BODY_LIMIT = 16 * 1024 * 1024  # A larger body is answered with 413.
pool = AsyncConnectionPool(os.environ["DATABASE_URL"], kwargs={"autocommit": True}, timeout=5, open=False)

@asynccontextmanager
async def lifespan(_):
    async with pool:
        yield

app = FastAPI(lifespan=lifespan)

@app.middleware("http")  # For all methods and paths. Return `await call_next(request)` where a FastAPI route shall answer.
async def serve(request: Request, call_next):
    target = request.scope["raw_path"] + (b"?" + query if (query := request.scope["query_string"]) else b"")
    headers, body = {name: request.headers.getlist(name) for name in request.headers}, bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            return Response(status_code=413)
    try:
        async with pool.connection() as connection:
            found = await connection.execute(SERVE, (request.method, target.decode("latin-1"), Jsonb(headers), bytes(body) or None))
            status, fields, content = await found.fetchone()
    except psycopg.Error as error:
        logging.error("restful.serve: %s", error)
        unreachable = (error.sqlstate or "08").startswith(("08", "57P"))
        return Response(status_code=504 if error.sqlstate == "57014" else 503 if unreachable else 500)
    response = Response(content, status)
    pairs = [(name, text) for name, value in fields.items() for text in (value if isinstance(value, list) else [value])]
    response.raw_headers = [(name.encode(), text.encode()) for name, text in pairs] + (response.raw_headers if content else [])
    return response
