"""The same resources as Infinity's, the way one would write them with FastAPI, asyncpg, orjson and PyJWT.

Run by uvicorn with uvloop and httptools and two workers. The token names the company; every statement filters by it.
There is no row-level security, no audit row, no idempotency and no access log here: all that is in its favour.
"""
import os
import uuid
from contextlib import asynccontextmanager
from typing import Annotated, Optional

import asyncpg
import jwt
import orjson
from fastapi import Depends, FastAPI, Header, HTTPException, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

SECRET = os.environ["BENCH_SECRET"]
WORKERS = int(os.environ.get("WORKERS", "2"))
SQL = {name: open(os.path.join(os.environ["BENCH_SQL"], name + ".sql")).read()
       for name in ("team_get", "team_list", "activity_list", "team_create")}
pool: asyncpg.Pool


@asynccontextmanager
async def lifespan(_):
    global pool
    size = max(1, 8 // WORKERS)
    pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=size, max_size=size)
    yield
    await pool.close()


app = FastAPI(lifespan=lifespan, openapi_url=None)


def plain(value):
    if isinstance(value, asyncpg.pgproto.pgproto.UUID):
        return str(value)
    raise TypeError(type(value))


def reply(value, status=200):
    return Response(orjson.dumps(value, plain, orjson.OPT_UTC_Z), status, media_type="application/json")


def shape(row):
    row = dict(row)
    for key in ("before", "after"):
        if row.get(key) is not None:
            row[key] = orjson.Fragment(row[key])
    return row


async def company(authorization: Annotated[Optional[str], Header()] = None) -> uuid.UUID:
    try:
        claims = jwt.decode(authorization[7:], SECRET, algorithms=["HS256"], options={"require": ["exp", "sub"]})
        return uuid.UUID(claims["cid"])
    except Exception:
        raise HTTPException(401, "Unauthorized")


class NewTeam(BaseModel):
    name: str = Field(min_length=1, max_length=80)
    description: Optional[str] = Field(None, max_length=1000)
    color: Optional[str] = Field(None, pattern="^#[0-9a-f]{6}$")


Company = Annotated[uuid.UUID, Depends(company)]
Limit = Annotated[int, Query(ge=1, le=100)]


@app.get("/healthz")
async def healthz():
    return Response(b'{"status":"ok"}', media_type="application/json")


@app.get("/v1/teams")
async def team_list(company_id: Company, limit: Limit = 50):
    async with pool.acquire() as connection:
        rows = await connection.fetch(SQL["team_list"], company_id, limit + 1)
    return reply({"data": [shape(row) for row in rows[:limit]], "page": {"has_more": len(rows) > limit}})


@app.get("/v1/teams/{id}")
async def team_get(id: uuid.UUID, company_id: Company):
    async with pool.acquire() as connection:
        row = await connection.fetchrow(SQL["team_get"], company_id, id)
    if row is None:
        raise HTTPException(404)
    return reply(shape(row))


@app.get("/v1/activity")
async def activity_list(company_id: Company, limit: Limit = 100):
    async with pool.acquire() as connection:
        rows = await connection.fetch(SQL["activity_list"], company_id, limit + 1)
    return reply({"data": [shape(row) for row in rows[:limit]], "page": {"has_more": len(rows) > limit}})


@app.post("/v1/teams")
async def team_create(team: NewTeam, company_id: Company):
    async with pool.acquire() as connection:
        try:
            row = await connection.fetchrow(
                SQL["team_create"], company_id, uuid.uuid4(), team.name, team.description, team.color)
        except asyncpg.UniqueViolationError:
            raise HTTPException(409)
    return reply(shape(row), 201)
